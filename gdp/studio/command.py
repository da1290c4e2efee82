"""`gdp studio`: the server's own command line."""

import argparse
import importlib.util
import logging
import os
import sys
import tempfile
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from gdp.storage.places import cache_folder, expand

DONE, REFUSED = 0, 2  # exit codes
HERE = ("127.0.0.1", "localhost", "::1")  # hosts that are this machine alone
NEEDED = "the studio needs gradio, which is not here; pip install 'gdp-restore[studio]'"
log = logging.getLogger("gdp")


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    p = argparse.ArgumentParser(
        prog="gdp studio", description="Restore photos in the browser, on this machine."
    )
    p.add_argument("places", nargs="*", metavar="FILE or FOLDER", help="photos that the page may "
                   "open by their path; no other path of this machine is read")  # fmt: skip
    p.add_argument("--host", default=HERE[0], help="address to serve; others than 127.0.0.1 let "
                   "other machines in, so give --auth too")  # fmt: skip
    p.add_argument("--port", type=int, default=7860)
    p.add_argument("--auth", metavar="USER:PASSWORD", help="ask for these first; better as "
                   "GDP_STUDIO_AUTH in the environment, which nobody can list")  # fmt: skip
    p.add_argument("--share", action="store_true", help="a public address by gradio's servers")
    p.add_argument("--lang", choices=("auto", "en", "zh"), default="auto", help="the page's "
                   "language; auto: the browser's")  # fmt: skip
    p.add_argument("--no-browser", action="store_true", help="open no browser")
    p.add_argument("--workers", type=int, default=1, help="photos restored at a time")
    p.add_argument("--megabytes", type=float, default=200, help="most of an uploaded file")
    p.add_argument("--megapixels", type=float, default=64, help="most of a photo")
    p.add_argument("--keep", type=float, default=7, help="days after which jobs are removed")
    p.add_argument("--state", metavar="FOLDER", help="where jobs lie; default: in the cache")
    return p


def main(words: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C.

    Returns:
        The exit code.
    """
    given = list(sys.argv[1:] if words is None else words)
    arguments = parser().parse_args(given[1:] if given[:1] == ["studio"] else given)
    logging.basicConfig(format="%(message)s", level=logging.WARNING, stream=sys.stderr, force=True)
    log.setLevel(logging.INFO)
    try:
        serve(arguments)
    except (ValueError, OSError) as error:
        log.error("error: %s", " ".join(str(error).split()))
        return REFUSED
    return DONE


def serve(arguments: argparse.Namespace) -> None:
    """Serve as the arguments say.

    Raises:
        ValueError, OSError: something does not fit, or the port is taken; in a line.
    """
    if importlib.util.find_spec("gradio") is None:
        raise ValueError(NEEDED)
    auth = arguments.auth or os.environ.get("GDP_STUDIO_AUTH") or None
    if auth is not None and ":" not in auth:
        raise ValueError("--auth is USER:PASSWORD")
    if (arguments.host not in HERE or arguments.share) and auth is None:
        log.warning("anybody who reaches %s can use this studio; --auth asks first", arguments.host)
    places = [expand(place).resolve() for place in arguments.places]
    for place in places:
        if not place.exists():
            raise ValueError(f"no such file or folder: {place}")

    # Gradio reads these when it is imported; it is to ask nobody, and to keep nothing.
    uploads = tempfile.TemporaryDirectory(prefix="gdp-studio-uploads-")
    os.environ["GRADIO_TEMP_DIR"] = uploads.name
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"

    from gdp.studio.jobs.state import Studio

    state = expand(arguments.state) if arguments.state else cache_folder() / "studio"
    studio = Studio(
        state,
        workers=arguments.workers,
        keep=arguments.keep * 86400,
        most=int(arguments.megapixels * 1e6),
        places=[Path(place) for place in places],
        lang=arguments.lang,
    )
    try:
        studio.start()
        from gdp.studio.server.serve import launch

        launch(studio, arguments, tuple(auth.split(":", 1)) if auth else None, show)
    finally:
        studio.end()
        uploads.cleanup()


def show(url: str, browser: bool) -> None:
    """Say where the page is, and open it."""
    print(f"the studio is at {url} (Ctrl-C ends it; what is not through goes on next time)")
    sys.stdout.flush()
    if browser:
        webbrowser.open(url)
