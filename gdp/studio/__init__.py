"""The studio: restoration in the browser, on this machine (`gdp studio`, `python -m gdp.studio`).

command            the server's own command line
jobs/              what is to be done: on disk, in a queue, by processes of their own
worker/            these processes: photos looked at, masks found, photos restored
web/               the page, its HTTP API, and the routes of pictures
texts/             every word of the page, a file a language
"""

from gdp.studio.command import main

__all__ = ["main"]
