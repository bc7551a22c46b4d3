"""What the API takes and sends of jobs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, Field

from bitreel.library import AddReport
from bitreel.library.records import printable
from bitreel.server.jobs import Job, JobState

_MOST = 1_000_000  # files of one job


class NewJob(BaseModel):
    """A folder to index; one of those that the server was given, or one below."""

    folder: Path


class NewVideo(BaseModel):
    """A file of the server's disk, below one of the folders that the server was given."""

    uri: str = Field(max_length=20_000)
    label: str | None = Field(None, max_length=1000)


class NewVideos(BaseModel):
    """Files to index. retry: those too that failed before and did not change since."""

    videos: list[NewVideo] = Field(max_length=_MOST)
    retry: bool = False


class Passed(BaseModel):
    """A file that is passed over, with the reason."""

    uri: str = Field(max_length=20_000)
    reason: str = Field(max_length=2000)


class NewCollection(NewVideos):
    """What folders hold, for the library to hold it too. roots: the folders, as URIs."""

    roots: list[str] = Field(max_length=1000)
    skipped: list[Passed] = Field([], max_length=_MOST)


class JobItem(BaseModel):
    """Work that goes on in the server. folder: what is indexed, a folder or the name of a video.
    told: how it ended, in a sentence. error: the kind, where it failed."""

    id: int
    folder: str
    state: JobState
    stage: str
    done: int
    total: int
    note: str
    told: str
    error: str | None

    @classmethod
    def of(cls, job: Job) -> JobItem:
        state = job.state  # first: what it ended with stands before it says so
        return cls(
            id=job.id,
            folder=printable(job.name),
            state=state,
            stage=job.step.stage,
            done=job.step.done,
            total=job.step.total,
            note=printable(job.step.note),
            told=printable(job.told),
            error=job.error,
        )


class UploadItem(JobItem):
    """The job that indexes a video that was sent. uri: of the file in which it is kept."""

    uri: str

    @classmethod
    def of_upload(cls, job: Job, path: Path) -> UploadItem:
        return cls(**JobItem.of(job).model_dump(), uri=path.as_uri())


class FileNote(BaseModel):
    """What is to be said of a file."""

    uri: str
    note: str

    @classmethod
    def all(cls, notes: Mapping[Path, str]) -> list[FileNote]:
        return [cls(uri=path.as_uri(), note=printable(note)) for path, note in notes.items()]


class Absent(BaseModel):
    """A folder that is empty now, and how many files it is missing."""

    uri: str
    files: int


class ReportItem(BaseModel):
    """What a job did, in numbers of videos; see `bitreel.library.AddReport`."""

    added: int
    replaced: int
    moved: int
    removed: int
    unchanged: int
    relabelled: int
    skipped: int
    failures: list[FileNote]
    damaged: list[FileNote]
    absent: list[Absent]

    @classmethod
    def of(cls, report: AddReport) -> ReportItem:
        return cls(
            added=report.added,
            replaced=report.replaced,
            moved=report.moved,
            removed=report.removed,
            unchanged=report.unchanged,
            relabelled=report.relabelled,
            skipped=report.skipped,
            failures=FileNote.all(report.failures),
            damaged=FileNote.all(report.damaged),
            absent=[
                Absent(uri=folder.as_uri(), files=files) for folder, files in report.absent.items()
            ],
        )
