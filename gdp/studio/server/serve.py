"""The server: the page, its guard and its routes, on one port."""

import argparse
from collections.abc import Callable
from pathlib import Path

import gradio as gr
from starlette.middleware import Middleware

from gdp.studio.jobs.state import Studio
from gdp.studio.server.guard import Guard
from gdp.studio.server.routes import routes
from gdp.studio.web.page import build_page

ASSETS = Path(__file__).parents[1] / "assets"
VIEWER = Path(__file__).parents[2] / "report" / "assets"
SCRIPTS = VIEWER / "viewer.js", ASSETS / "mask.js"
STYLES = VIEWER / "viewer.css", ASSETS / "studio.css"
HERE = ("127.0.0.1", "localhost", "::1")
FONTS = ("system-ui", "Noto Sans CJK SC", "sans-serif")
MONO = ("ui-monospace", "monospace")


def launch(
    studio: Studio,
    arguments: argparse.Namespace,
    auth: tuple[str, ...] | None,
    show: Callable[[str, bool], None],
) -> None:
    """Serve until it is stopped.

    Args:
        studio: the state.
        arguments: host, port, share, megabytes, no_browser.
        auth: user and password, if they are asked for.
        show: is told the address, and whether to open a browser.

    Raises:
        OSError: the port is taken.
    """
    local = arguments.host in HERE and not arguments.share
    page = build_page(studio)

    _, address, shared = page.launch(
        server_name=arguments.host,
        server_port=arguments.port,
        share=arguments.share,
        auth=None if auth is None else (auth[0], auth[1]),
        max_file_size=f"{arguments.megabytes:g}mb",
        app_kwargs={
            "middleware": [Middleware(Guard, hosts=HERE if local else None)],
            "routes": routes(studio),
        },
        head="".join(f"<script>{file.read_text(encoding='utf-8')}</script>" for file in SCRIPTS),
        css="\n".join(file.read_text(encoding="utf-8") for file in STYLES),
        theme=theme(),
        footer_links=["api"],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        show_error=False,
        prevent_thread_lock=True,
        quiet=True,
    )

    show(shared or address, not arguments.no_browser)
    page.block_thread()


def theme() -> gr.themes.Base:
    """Gradio's soft theme, with as much contrast as WCAG 2.2 (1.4.3) asks of texts: 4.5 to 1."""
    soft = gr.themes.Soft(primary_hue="blue", font=FONTS, font_mono=MONO)
    dark_blue, dark_grey = "*primary_700", "*neutral_600"
    return soft.set(
        color_accent=dark_blue,
        body_text_color_subdued=dark_grey,
        block_info_text_color=dark_grey,
        block_label_text_color=dark_blue,
        block_title_text_color=dark_blue,
        button_primary_background_fill=dark_blue,
        button_primary_background_fill_hover="*primary_800",
        checkbox_label_background_fill_selected=dark_blue,
        checkbox_label_background_fill_selected_dark=dark_blue,
    )
