"""The studio: restoration in the browser, on this machine (`gdp studio`, `python -m gdp.studio`).

command            the server's own command line
jobs/              what is to be done: on disk, in a queue, by processes of their own
worker/            these processes: photos looked at, masks found, photos restored
web/               the page, and its HTTP API
server/            what is served: sessions told apart, pictures by their routes
words/             settings as words, which of them are harmless, texts
texts/             every word of the page, a file a language
"""

from gdp.studio.command import main

__all__ = ["main"]
