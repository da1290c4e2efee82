"""Pictures, masks and results of a session's own jobs, over HTTP.

    /studio/JOB/before                    the photo, for the page; thumb/NAME: small
    /studio/JOB/after/NAME                a result, for the page; NAME without suffix
    /studio/JOB/preview/NAME              how far it is
    /studio/JOB/file/NAME                 a file of the results
    /studio/JOB/zip                       all of them
    /studio/JOB/mask, kernel              GET and PUT
    /studio/JOB/select                    POST {"x", "y", "how", "tolerance"}: a mask

A name is looked for among the names that are there: no path is ever made of it.
"""

from collections.abc import Callable
from pathlib import Path

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from gdp.studio.jobs.state import Refused, Studio
from gdp.studio.jobs.store import Job
from gdp.studio.server.guard import COOKIE

MOST_MASK = 64 * 2**20  # bytes of a mask
CACHE = {"Cache-Control": "private, no-cache"}
GONE = PlainTextResponse("not here", status_code=404)


def routes(studio: Studio) -> list[Route]:
    """The routes of a server."""

    def own(request: Request) -> Job | None:
        return studio.store.get(request.path_params["job"], request.cookies.get(COOKIE, ""))

    def get(request: Request) -> Response:
        job = own(request)
        if job is None:
            return GONE
        what, name = request.path_params["what"], request.path_params.get("name", "")
        file = file_for(studio, job, what, name)
        if file is None:
            return Response(status_code=204) if what in ("mask", "kernel") else GONE
        attached = what in ("file", "zip") or "save" in request.query_params
        return FileResponse(file, headers=CACHE, filename=file.name if attached else None)

    async def put(request: Request) -> Response:
        job = own(request)
        if job is None:
            return GONE
        content = b""
        async for block in request.stream():
            content += block
            if len(content) > MOST_MASK:
                return PlainTextResponse("too large", status_code=413)
        what = request.path_params["what"]
        if what not in ("mask", "kernel"):
            return GONE
        try:
            white = await to_thread.run_sync(studio.mark, job, what, content)
        except Refused as error:
            return PlainTextResponse(str(error), status_code=400)
        return PlainTextResponse("kept" if white else "empty")

    async def select(request: Request) -> Response:
        job = own(request)
        if job is None:
            return GONE
        try:
            ask = await request.json()
            x, y, tolerance = (float(ask[key]) for key in ("x", "y", "tolerance"))
            how = {"alike": "alike", "thing": "thing"}[ask["how"]]
            mask = await to_thread.run_sync(studio.select, job, x, y, how, tolerance)
        except Refused as error:
            return PlainTextResponse(str(error), status_code=400)
        except (ValueError, KeyError, TypeError):
            return PlainTextResponse("x, y, how and tolerance are needed", status_code=400)
        return FileResponse(mask, headers=CACHE)

    def route(path: str, end: Callable[[Request], object], method: str) -> Route:
        return Route(f"/studio/{{job}}/{path}", end, methods=[method])

    return [
        route("select", select, "POST"),
        *(Route(f"/studio/{{job}}/{{what:str}}{rest}", get, methods=["GET"])
          for rest in ("", "/{name}")),
        Route("/studio/{job}/{what:str}", put, methods=["PUT"]),
    ]  # fmt: skip


def file_for(studio: Studio, job: Job, what: str, name: str) -> Path | None:
    """The file that an address stands for, if there is one."""
    folder, run = studio.store.folder(job), studio.store.run(job)
    if what in ("mask", "kernel") and not name:
        file = folder / f"{what}.png"
        return file if file.is_file() else None
    if what == "before":
        return picture(folder / "view", Path(job.files[0]).stem)
    if what == "zip" and job.key:
        return among(folder / "view", f"{job.key}.zip")
    if what == "file" and job.key:
        return among(run, name)
    if what == "preview" and job.key:
        return among(run, f"{name}.preview.png")
    if what == "after" and job.key:
        return picture(folder / "view" / job.key, name)
    if what == "thumb" and job.key:
        return among(folder / "view" / job.key, f"{name}.thumb.jpg")
    return None


def picture(folder: Path, stem: str) -> Path | None:
    """The picture for the page of that name."""
    return among(folder, f"{stem}.png") or among(folder, f"{stem}.jpg")


def among(folder: Path, name: str) -> Path | None:
    """The file of that name in a folder."""
    try:
        return next((f for f in folder.iterdir() if f.name == name and f.is_file()), None)
    except OSError:
        return None
