"""A server of files on this machine, which can break a connection and knows ranges, or not."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def served(content, ranges=True, breaks_after=None, status=None):
    """Serve `content`; gives its address and the ranges that were asked for.

    Args:
        content: of the file.
        ranges: whether the server knows Range.
        breaks_after: bytes after which each connection breaks; None for none.
        status: an error that it answers with, always.
    """
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = self.headers.get("Range")
            asked.append(wanted)
            if status is not None:
                self.send_error(status)
                return
            first = int(wanted[6:-1]) if wanted and ranges else 0
            self.send_response(206 if wanted and ranges else 200)
            self.send_header("Content-Length", str(len(content) - first))
            self.end_headers()
            self.wfile.write(content[first:][:breaks_after])

        def log_message(self, *_):
            """Nothing is said."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/w.pt", asked
    finally:
        server.shutdown()
        server.server_close()
