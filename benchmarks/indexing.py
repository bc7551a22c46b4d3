"""Clips a CPU-second from file to code: each stage, the floor, and others on the same files.

The peers decode with another library and run the same backbone by torch, eager, one clip at a time,
all its frames at once: what re-implementations of the seed method do. CPU-seconds are those of the
process and its children, every pipeline on one core; they take turns, and the median of the rounds
counts, so that what else the machine does moves all of them alike. Seeds, for mAP@10, are heads
trained on the same features.

    python benchmarks/indexing.py [DATA] [--quick] [--json FILE] [--clips 48] [--repeats 5]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"  # before torch and OpenCV are imported

import numpy as np
import torch
from numpy.typing import NDArray

from bitreel.codes import BinaryCodes, hamming
from bitreel.dataset import Dataset, Example, open_dataset
from bitreel.dataset.synthetic import make_actions
from bitreel.errors import VideoError
from bitreel.evaluation import evaluate_codes
from bitreel.library import Library
from bitreel.model import Model, ModelConfig, Sampling, quantise
from bitreel.read_ahead import read_ahead
from bitreel.training import default_cache, labelled_features, train
from bitreel.training.presets import make_config
from bitreel.video import WHOLE_VIDEOS
from bitreel.video.picture import PictureMaker
from bitreel.video.sampling import uniform_indices

FRAMES, SIZE = 16, 224
OURS = {"torch": "torch", "onnx": "onnx", "openvino": "openvino", "int8": "openvino int8"}
PEER = "opencv + eager"
HEADINGS = (
    "model, pipeline, clips/CPU-s, × opencv + eager, of the floor, overlapped, on shared cores, "
    "flipped bits, mAP@10"
)
LIBRARY_CLIPS = 8  # times the timed clips: processes start once

Frames = NDArray[np.uint8]
Encode = Callable[[Path], BinaryCodes]


@dataclass
class Row:
    """flipped_bits: the mean of a code, against bitreel by torch; of the timed clips, or of all
    where there is an mAP@10. share_of_floor: clips a CPU-second over those of the slower of
    decoding alone and the network alone. share_of_overlapped: the same where decoding has a core
    and the network has one: what counts is the busier of the two, with all that is done beside.
    share_of_shared: clips a CPU-second over those of decoding and the network together, which is
    the floor where they share their cores. stages_ms: CPU milliseconds a clip."""

    model: str
    pipeline: str
    clips_per_cpu_second: float | None = None
    ratio_to_opencv_eager: float | None = None
    share_of_floor: float | None = None
    share_of_overlapped: float | None = None
    share_of_shared: float | None = None
    flipped_bits: float | None = None
    map_at_10: float | None = None
    map_at_10_of_seeds: list[float] = field(default_factory=list)
    stages_ms: dict[str, float] = field(default_factory=dict)
    skipped: str | None = None


@dataclass(frozen=True)
class Bench:
    """One preset: its data, its model by each runtime, the files that are timed."""

    preset: str
    dataset: Dataset
    models: dict[str, Model]  # by the keys of OURS
    paths: list[Path]
    library_paths: list[Path]


def main() -> None:
    options = parse()
    torch.set_num_threads(1)
    dataset = open_dataset(options.data or synthetic(options.quick))
    rows: list[Row] = []
    for preset in options.presets.split(","):
        for row in measured(prepare(preset, dataset, options), options):
            rows.append(row)
            print(line(row), flush=True)
            if options.json:
                options.json.write_text(json.dumps([asdict(r) for r in rows], indent=2) + "\n")
    print("\nCPU milliseconds a clip, by stage\n")
    for row in rows:
        if row.stages_ms:
            stages = ", ".join(f"{name} {ms:.1f}" for name, ms in row.stages_ms.items())
            print(f"{row.model} by {row.pipeline}: {stages}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", nargs="?", help="labelled videos  [default: synthetic actions]")
    parser.add_argument("--quick", action="store_true", help="few clips, no mAP@10")
    parser.add_argument("--json", type=Path, help="write the rows here as they come")
    parser.add_argument("--clips", type=int, default=48, help="files that are timed")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--presets", default="seed,best")
    options = parser.parse_args()
    if options.quick:
        options.clips, options.repeats = min(options.clips, 8), 1
    print(f"| {HEADINGS.replace(', ', ' | ')} |\n{'|---' * 9}|")
    return options


def line(row: Row) -> str:
    def figure(value: float | None, form: str) -> str:
        return "" if value is None else form.format(value)

    if row.skipped:
        return f"| {row.model} | {row.pipeline} | skipped: {row.skipped} | | | | | | |"
    score = figure(row.map_at_10, "{:.3f}")
    if len(row.map_at_10_of_seeds) > 1:
        score += f" ± {np.std(row.map_at_10_of_seeds, ddof=1):.3f}"
    cells = [
        row.model,
        row.pipeline,
        figure(row.clips_per_cpu_second, "{:.2f}"),
        figure(row.ratio_to_opencv_eager, "{:.2f}"),
        figure(row.share_of_floor, "{:.0%}"),
        figure(row.share_of_overlapped, "{:.0%}"),
        figure(row.share_of_shared, "{:.0%}"),
        figure(row.flipped_bits, "{:.4f}"),
        score,
    ]
    return f"| {' | '.join(cells)} |"


def synthetic(quick: bool) -> Path:
    """What there is on every machine."""
    folder = Path(tempfile.mkdtemp()) / "clips"
    return make_actions(folder, clips_per_class=2 if quick else 20)


def prepare(preset: str, dataset: Dataset, options: argparse.Namespace) -> Bench:
    """The model as users train it, and the same in int8, its ranges measured on database clips."""
    examples = list(dataset.database)
    random.Random(0).shuffle(examples)
    model = trained(preset, dataset, options)
    int8 = quantise(model, [e.path for e in examples], clips=8 if options.quick else 64)
    models = {"torch": model, "int8": int8}
    for word in ("onnx", "openvino"):
        models[word] = copy_of(model).use_runtime(word)
    paths = [example.path for example in examples]
    more = LIBRARY_CLIPS * options.clips
    return Bench(preset, dataset, models, paths[: options.clips], paths[:more])


def trained(preset: str, dataset: Dataset, options: argparse.Namespace, seed: int = 0) -> Model:
    config = make_config(preset, options={"seed": seed})
    if not options.quick:
        return train(dataset, config, accelerator="cpu")
    model = Model(config.model(dataset.labels))  # an untrained head takes as long
    for backbone in model.network.backbones:
        backbone.load_pretrained("package")
    return model


def copy_of(model: Model) -> Model:
    copy = Model(model.config, quantised=model.quantised)
    copy.network.load_state_dict(model.network.state_dict())
    return copy


def measured(bench: Bench, options: argparse.Namespace) -> Iterator[Row]:
    pipelines = {f"bitreel {name}": one_clip(bench.models[key]) for key, name in OURS.items()}
    others = peers(bench.models["torch"]) if bench.preset == "seed" else {}
    pipelines |= {name: run for name, run in others.items() if callable(run)}
    seconds, codes = timed(pipelines, bench.paths, options.repeats)
    stages = stages_of(bench, options)
    scored = {} if options.quick else scores(bench, options)
    for name in sorted(pipelines, key=lambda name: -seconds[name]):
        row = Row(bench.preset, name, 1 / seconds[name])
        if PEER in seconds:
            row.ratio_to_opencv_eager = seconds[PEER] / seconds[name]
        row.flipped_bits = flipped(codes[name], codes["bitreel torch"])
        if name in stages:
            row.stages_ms = stages[name]
            floor = max(row.stages_ms["decode"] + row.stages_ms["resize"], row.stages_ms["network"])
            row.share_of_floor = floor / (1000 * seconds[name])
            row.share_of_shared = of_shared(row.stages_ms, seconds[name])
        if name in scored:
            row.map_at_10_of_seeds, row.flipped_bits = scored[name]
            row.map_at_10 = float(np.mean(row.map_at_10_of_seeds))
        yield row
    yield from floors(bench.preset, stages)
    for key in ("openvino", "int8"):
        found = stages[f"bitreel {OURS[key]}"]
        yield library_row(bench, key, options.repeats, seconds.get(PEER), found)
    for name, why in others.items():
        if isinstance(why, str):
            yield Row(bench.preset, name, skipped=why)


# Time


def cpu_seconds() -> float:
    """Of this process and of the children that it has waited for."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, kinds))


def timed(
    pipelines: dict[str, Encode], paths: Sequence[Path], repeats: int
) -> tuple[dict[str, float], dict[str, BinaryCodes]]:
    """The median over rounds of CPU-seconds a clip, and the codes."""
    seconds: dict[str, list[float]] = {name: [] for name in pipelines}
    codes: dict[str, BinaryCodes] = {}
    for encode in pipelines.values():
        encode(paths[0])  # exported, compiled, read from the disk
    for _ in range(repeats):
        for name, encode in pipelines.items():
            start = cpu_seconds()
            codes[name] = stacked([encode(path) for path in paths])
            seconds[name].append((cpu_seconds() - start) / len(paths))
    return {name: float(np.median(found)) for name, found in seconds.items()}, codes


def stages_of(bench: Bench, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """CPU milliseconds a clip of what our pipelines do, each stage by itself."""
    rounds = [one_round(bench) for _ in range(options.repeats)]
    store = store_ms(bench.paths)
    found: dict[str, dict[str, float]] = {}
    for key, name in OURS.items():
        medians = {s: float(np.median([r[key][s] for r in rounds])) for s in rounds[0][key]}
        found[f"bitreel {name}"] = medians | {"store": store}
    return found


def one_round(bench: Bench) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {key: {} for key in OURS}
    any_model = bench.models["torch"]
    with resize_timed() as resizing:
        start = time.process_time()
        clips = [any_model.read(path) for path in bench.paths[:16]]
        reading = time.process_time() - start
    per_clip = 1000 / len(clips)
    for key, model in bench.models.items():
        pictures, network, hashing = 0.0, 0.0, 0.0
        for clip in clips:
            times = [time.process_time()]
            views = [model.pictures(clip, stream) for stream in range(len(model.modalities))]
            times.append(time.process_time())
            features = model.features(clip)
            times.append(time.process_time())
            model.encode_features([part[None] for part in features])
            times.append(time.process_time())
            del views
            made, ran, hashed = np.diff(times)
            pictures, network, hashing = pictures + made, network + ran - made, hashing + hashed
        found[key] = {
            "decode": (reading - resizing[0]) * per_clip,
            "resize": resizing[0] * per_clip,
            "modality": pictures * per_clip,
            "network": network * per_clip,
            "hash": hashing * per_clip,
        }
    return found


class resize_timed:  # used as a function
    """Within: the CPU-seconds spent in turning decoded frames into pictures, in a list of one."""

    def __enter__(self) -> list[float]:
        spent = [0.0]
        self._plain = plain = PictureMaker.__call__

        def timed_call(maker: PictureMaker, frame: Any) -> Any:
            start = time.process_time()
            try:
                return plain(maker, frame)
            finally:
                spent[0] += time.process_time() - start

        PictureMaker.__call__ = timed_call  # type: ignore[method-assign, assignment]
        return spent

    def __exit__(self, *_: object) -> None:
        PictureMaker.__call__ = self._plain  # type: ignore[method-assign]


def store_ms(paths: Sequence[Path]) -> float:
    """What a library adds to encoding, seen with a model so small that it shows."""
    sampling = Sampling(frames=1, height=32, width=32)
    model = Model(ModelConfig(labels=("a",), backbone="mobilenetv3_small_050", sampling=sampling))
    with tempfile.TemporaryDirectory() as folder:
        library = Library.create(Path(folder) / "library", model)
        start = cpu_seconds()
        library.add(paths)
        middle = cpu_seconds()
        library.close()
        for _ in model.encode_many(paths):
            pass
        return max(0.0, 2 * middle - start - cpu_seconds()) * 1000 / len(paths)


def floors(preset: str, stages: dict[str, dict[str, float]]) -> Iterator[Row]:
    """Decode alone, network alone."""
    first = next(iter(stages.values()))
    yield Row(preset, "floor: decode and resize", 1000 / (first["decode"] + first["resize"]))
    for name, found in stages.items():
        yield Row(preset, f"floor: network, {name}", 1000 / found["network"])


def of_shared(stages: dict[str, float], seconds: float) -> float:
    return (stages["decode"] + stages["resize"] + stages["network"]) / (1000 * seconds)


def library_row(
    bench: Bench, key: str, repeats: int, peer: float | None, stages: dict[str, float]
) -> Row:
    """`Library.add` as a whole: contents told, decoded in other processes, all cores, stored."""
    rounds = [added(bench.models[key], bench.library_paths) for _ in range(repeats)]
    own, decoding = np.median(np.array(rounds), axis=0).tolist()
    row = Row(bench.preset, f"Library.add, {OURS[key]}", 1 / (own + decoding))
    row.ratio_to_opencv_eager = None if peer is None else peer / (own + decoding)
    slower = max(stages["decode"] + stages["resize"], stages["network"])
    row.share_of_floor = slower / (1000 * (own + decoding))
    row.share_of_overlapped = slower / (1000 * max(own, decoding))
    row.share_of_shared = of_shared(stages, own + decoding)
    return row


def added(model: Model, paths: Sequence[Path]) -> tuple[float, float]:
    """CPU-seconds a clip of this process, which has the network, and of those that decode."""
    with tempfile.TemporaryDirectory() as folder:
        library = Library.create(Path(folder) / "library", model, segmenting=WHOLE_VIDEOS)
        both, own = cpu_seconds(), time.process_time()
        report = library.add(paths)
        own = time.process_time() - own
        library.close()  # what its processes took counts when they have ended
        both = cpu_seconds() - both
        return own / report.added, (both - own) / report.added


# Pipelines


def one_clip(model: Model) -> Encode:
    """From a file to its code as the library does it, on one core."""

    def encode(path: Path) -> BinaryCodes:
        return model.encode(model.read(path))

    return encode


def peers(model: Model) -> dict[str, Encode | str]:
    """Others, or why they can not run here."""
    found: dict[str, Encode | str] = {}
    decoders = {
        PEER: (opencv_frames, without("cv2", "opencv-python-headless")),
        "torchcodec + eager": (torchcodec_frames, without_torchcodec()),
        "ffmpeg pipe + eager": (
            ffmpeg_frames,
            None if shutil.which("ffmpeg") else "there is no ffmpeg on the path",
        ),
    }
    for name, (decode, why_not) in decoders.items():
        found[name] = why_not or eager(model, decode)
    return found


def without(module: str, package: str) -> str | None:
    return None if find_spec(module) else f"{package} is not installed"


def without_torchcodec() -> str | None:
    try:
        from torchcodec.decoders import VideoDecoder  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:
        return f"torchcodec can not be imported ({str(error).splitlines()[0]})"
    return None


def eager(model: Model, decode: Callable[[Path], Frames]) -> Encode:
    """torch as it comes, on all frames of one clip at once."""
    backbone = model.network.backbones[0]

    @torch.inference_mode()
    def encode(path: Path) -> BinaryCodes:
        pictures = torch.from_numpy(decode(path)).permute(0, 3, 1, 2).contiguous().float() / 255
        features = backbone.cnn((pictures - backbone.mean) / backbone.deviation)
        relaxed = model.network.head([features[None]]).relaxed
        return BinaryCodes.from_relaxed(relaxed.numpy())

    return encode


def opencv_frames(path: Path) -> Frames:
    """Every frame decoded and kept, then 16 of them scaled."""
    import cv2

    cv2.setNumThreads(1)
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    frames = []
    while True:
        there, frame = video.read()
        if not there:
            break
        frames.append(frame)
    video.release()
    picked = (frames[k] for k in uniform_indices(len(frames), FRAMES))
    scaled = (cv2.resize(f, (SIZE, SIZE), interpolation=cv2.INTER_AREA) for f in picked)
    return np.stack([cv2.cvtColor(frame, cv2.COLOR_BGR2RGB) for frame in scaled])


def torchcodec_frames(path: Path) -> Frames:
    """The 16 frames by their numbers, exactly sought."""
    from torch.nn.functional import interpolate
    from torchcodec.decoders import VideoDecoder

    decoder = VideoDecoder(str(path), num_ffmpeg_threads=1, dimension_order="NCHW")
    picked = uniform_indices(len(decoder), FRAMES).tolist()
    frames = decoder.get_frames_at(picked).data.float()
    scaled = interpolate(frames, (SIZE, SIZE), mode="bilinear", antialias=True)
    array: Frames = scaled.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()
    return array


def ffmpeg_frames(path: Path) -> Frames:
    """Every frame decoded and scaled by another process, through a pipe."""
    command = ["ffmpeg", "-v", "error", "-threads", "1", "-i", str(path), "-vf"]
    command += [f"scale={SIZE}:{SIZE}:flags=area", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    frames = np.frombuffer(raw, np.uint8).reshape(-1, SIZE, SIZE, 3)
    return frames[uniform_indices(len(frames), FRAMES)]


# Codes


def scores(bench: Bench, options: argparse.Namespace) -> dict[str, tuple[list[float], float]]:
    """Of each of our pipelines: mAP@10 of the query part by seed, and flipped bits of all clips.

    The heads of the seeds are trained on the features by torch, as a user's is, before the backbone
    is run otherwise.
    """
    features = {key: all_features(bench, key) for key in ("torch", "openvino", "int8")}
    heads = [trained(bench.preset, bench.dataset, options, s) for s in range(options.seeds)]
    found: dict[str, tuple[list[float], float]] = {}
    for key, streams in features.items():
        codes = [head.encode_features(streams) for head in heads]
        plain = [head.encode_features(features["torch"]) for head in heads]
        flips = [flipped(a, b) for a, b in zip(codes, plain, strict=True)]
        found[f"bitreel {OURS[key]}"] = (
            [map_at_10(one, bench.dataset.examples) for one in codes],
            float(np.mean(flips)),
        )
    return found


def all_features(bench: Bench, key: str) -> list[NDArray[np.float32]]:
    """Of every clip of the data set. By torch and in int8 they may come from the user's cache; by
    OpenVINO in float32 they are made anew, as the cache does not tell it from torch."""
    model, examples = bench.models[key], bench.dataset.examples
    if key != "openvino":
        return list(labelled_features(model, examples, cache=default_cache()).streams)
    made = read_ahead(lambda path: model.features(model.read(path)), [e.path for e in examples])
    rows = [features for _, features in made if not isinstance(features, VideoError)]
    return [np.stack(stream) for stream in zip(*rows, strict=True)]


def map_at_10(codes: BinaryCodes, examples: Sequence[Example]) -> float:
    asks = np.array([example.split == "query" for example in examples])
    labels = np.array([example.label for example in examples])
    done = evaluate_codes(codes[asks], labels[asks], codes[~asks], labels[~asks])
    return done.values["mAP@10"]


def flipped(codes: BinaryCodes, others: BinaryCodes) -> float:
    """The mean over clips of the bits that differ."""
    pairs = range(len(codes))
    return float(np.mean([hamming(codes[[k]], others[[k]])[0, 0] for k in pairs]))


def stacked(codes: Sequence[BinaryCodes]) -> BinaryCodes:
    return BinaryCodes(np.concatenate([code.packed for code in codes]), codes[0].bits)


if __name__ == "__main__":
    main()
