"""`bitreel demo`"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from bitreel.cli.console import Json, err, out, print_json, show_progress
from bitreel.cli.demo_page import PORT, is_watched, serve_page
from bitreel.progress import Progress, Step

if TYPE_CHECKING:
    from bitreel.dataset import Dataset
    from bitreel.evaluation import Evaluation
    from bitreel.library import SearchResults
    from bitreel.model import Model


@dataclass(frozen=True)
class Places:
    """Where the demo keeps its files."""

    folder: Path

    @property
    def clips(self) -> Path:
        return self.folder / "clips"

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def library(self) -> Path:
        return self.folder / "library"

    @property
    def sheet(self) -> Path:
        return self.folder / "hits.png"

    @property
    def cache(self) -> Path:
        return self.folder / "cache"


def demo(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for everything the demo makes.")
    ] = Path("demo"),
    clips_per_class: Annotated[
        int, typer.Option(min=4, help="Clips of each of the twelve actions.")
    ] = 20,
    serve: Annotated[
        bool | None,
        typer.Option(
            "--serve/--no-serve",
            help="Serve the page of the library at the end, until Ctrl-C.  [default: on a "
            "terminal, and not with --json]",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Draw clips, learn, index, evaluate and search: the whole road in a minute or two.

    It ends with the address of a page on which the library is searched.

    Example: `bitreel demo --output demo`
    """
    places = Places(output)
    started = time.monotonic()
    with show_progress() as progress:
        dataset = _make_clips(places, clips_per_class, progress)
        model = _train(places, dataset, progress)
        evaluation = _evaluate(places, dataset, model, progress)
        results = _index_and_search(places, dataset, model, progress)
    answer = {
        "clips": str(places.clips),
        "model": str(places.model),
        "library": str(places.library),
        "sheet": str(places.sheet),
        **evaluation.to_json(),
        "mAP@10 of random codes": _random_codes(dataset, model.bits),
        "query": str(results.query),
        "hits": [
            {"path": str(h.path), "distance_bits": h.distance_bits, "label": h.label}
            for h in results.hits
        ],
        "seconds": round(time.monotonic() - started, 1),
    }
    print_json(answer) if json else _tell(places, dataset, answer)
    page = f"#similar/{results.hits[0].video_id}"  # what looks like the clip that was found first
    if serve or (serve is None and not json and is_watched()):
        serve_page(places.library, places.clips, page, _tell_address)
    elif not json:
        out.print(
            f"\nThe page: bitreel serve {places.library} --folder {places.clips}\n"
            f"and open http://127.0.0.1:{PORT}/{page}",
            soft_wrap=True,
        )


def _tell_address(address: str) -> None:
    out.print(Text(f"\nThe page: {address}", "bold"), "(Ctrl-C ends it)", soft_wrap=True)


def _make_clips(places: Places, clips_per_class: int, progress: Progress) -> Dataset:
    from bitreel.dataset import open_dataset
    from bitreel.dataset.synthetic import make_actions

    def show(done: int, total: int) -> None:
        progress(Step("clips", done, total))

    manifest = make_actions(
        places.clips, task="both", clips_per_class=clips_per_class, progress=show
    )
    return open_dataset(manifest)


def _train(places: Places, dataset: Dataset, progress: Progress) -> Model:
    from bitreel.model import Model, Sampling, is_model
    from bitreel.training import TrainConfig, train

    if is_model(places.model):
        err.print(f"{places.model} is there from an earlier demo: using it.")
        return Model.load(places.model)
    # Small pictures and few frames: these clips are 160x120, and a demo should not take long.
    config = TrainConfig(sampling=Sampling(frames=8, height=128, width=128))
    return train(dataset, config, output=places.model, cache=places.cache, progress=progress)


def _evaluate(places: Places, dataset: Dataset, model: Model, progress: Progress) -> Evaluation:
    from bitreel.training import evaluate

    return evaluate(model, dataset, cache=places.cache, progress=progress).evaluation


def _random_codes(dataset: Dataset, bits: int) -> float:
    """What codes that know nothing reach, on the same queries and database."""
    import numpy as np

    from bitreel.codes import BinaryCodes
    from bitreel.evaluation import evaluate_codes

    generator = np.random.default_rng(0)
    query, database = (
        BinaryCodes.from_bits(generator.random((len(part), bits)) < 0.5)
        for part in (dataset.query, dataset.database)
    )
    labels = [[example.label for example in part] for part in (dataset.query, dataset.database)]
    return evaluate_codes(query, labels[0], database, labels[1]).values["mAP@10"]


def _index_and_search(
    places: Places, dataset: Dataset, model: Model, progress: Progress
) -> SearchResults:
    from bitreel.insight.contact_sheet import write_contact_sheet
    from bitreel.library import Library, Video

    with Library.open_or_create(places.library, model) as library:
        library.add([Video(e.path, e.label) for e in dataset.database], progress=progress)
        results = library.search(dataset.query[0].path, k=5)
    write_contact_sheet(results, places.sheet)
    return results


def _tell(places: Places, dataset: Dataset, answer: dict[str, Any]) -> None:
    query = dataset.query[0]
    right = sum(hit["label"] == query.label for hit in answer["hits"])
    out.print(Text("\nWhat happened", "bold"), f"in {answer['seconds']:.0f} seconds")
    out.print(
        f"1. Drew {len(dataset.examples)} clips of {len(dataset.labels)} actions: {places.clips}\n"
        f"2. Trained a {answer['bits']}-bit model on {len(dataset.database)} of them: "
        f"{places.model}\n"
        f"3. Gave these {len(dataset.database)} their codes: {places.library}\n"
        f"4. Asked with the {len(dataset.query)} clips that it never saw: mAP@10 "
        f"{answer['mAP@10']:.3f}, where random codes give {answer['mAP@10 of random codes']:.3f}\n"
        f"5. Searched for {query.path.name} ({query.label}): {right} of the {len(answer['hits'])} "
        f"nearest clips show the same action. Look at {places.sheet}\n",
        soft_wrap=True,
    )
    out.print(Text("Try it yourself", "bold"))
    out.print(
        f"  bitreel search {places.library} {query.path}\n"
        f"  bitreel status {places.library}\n"
        f"  bitreel train YOUR_FOLDER --output my-model     a folder with a folder for each action",
        soft_wrap=True,
    )
