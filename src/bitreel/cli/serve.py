"""`bitreel serve`"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bitreel.cli.console import Json, err, print_json
from bitreel.cli.data_options import Place
from bitreel.errors import ConfigError
from bitreel.library.store.address import without_password


def serve(
    library: Place,
    host: Annotated[
        str,
        typer.Option(help="Where to listen; others than this machine need --token."),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="On which port.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="BITREEL_TOKEN",
            help="What callers have to show. Better given by the environment: others on this "
            "machine see command lines.",
            show_default=False,
        ),
    ] = None,
    folder: Annotated[
        list[Path] | None,
        typer.Option(
            help="A folder of which videos may be added from the page; again for more.",
            show_default=False,
        ),
    ] = None,
    name: Annotated[
        list[str] | None,
        typer.Option(
            help="The name of a host under which a reverse proxy passes requests on; again for "
            "more. Needs --token.",
            show_default=False,
        ),
    ] = None,
    uploads: Annotated[
        Path | None,
        typer.Option(
            help="Where videos that are sent to stay are kept.  [default: LIBRARY/uploads]",
            show_default=False,
        ),
    ] = None,
    most_uploads: Annotated[
        int, typer.Option(min=0, help="How many of them are kept; 0 takes none.")
    ] = 1000,
    cache_gb: Annotated[
        float, typer.Option(min=0, help="How much of thumbnails and previews is kept, in GB.")
    ] = 2.0,
    json: Json = False,
) -> None:
    """A page on which to drop a clip and see similar ones, and the HTTP API below it.

    It answers to this machine alone, unless --host says otherwise. The API is described at
    /api/openapi.json. Ctrl-C ends it.

    Example: `bitreel serve library --folder videos/`
    """
    try:
        import uvicorn

        from bitreel.server.app import create_app
    except ImportError as error:
        raise ConfigError(f"Serving needs {error.name}: pip install 'bitreel[serve]'.") from error
    from bitreel.server.settings import Settings

    settings = Settings(
        library,
        host,
        port,
        token,
        tuple(folder or ()),
        names=tuple(name or ()),
        uploads=uploads,
        most_uploads=most_uploads,
        cache_bytes=int(cache_gb * 1e9),
    )
    app = create_app(settings)
    address = settings.address + (f"?token={token}" if token else "")
    shown = without_password(library)
    if json:
        print_json({"library": shown, "address": address})
    else:
        err.print(f"Serving {shown} at {address} (Ctrl-C ends it)", soft_wrap=True)
    uvicorn.run(app, host=host, port=port, log_level="warning")
