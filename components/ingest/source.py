"""From the source that the caller named to its documents, which may be read again: ingest reads twice."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from components.ingest.bundled import bundled_documents
from components.ingest.user_text import file_documents, folder_documents, table_documents
from robo_poet.corpus.document import Document
from robo_poet.corpus.source_digest import source_digest
from robo_poet.corpus.source_files import TABLES, is_bucket, source_files
from robo_poet.errors import BadInput
from robo_poet.settings.data import IngestSettings


@dataclass(frozen=True)
class Source:
    """Where the documents come from."""

    name: str  # for people
    documents: Callable[[], Iterator[Document]]
    megabytes: float = 0  # read a sample of this size; 0: all. What a user brings is never sampled.
    verify: Callable[[], None] = lambda: None  # raises BadInput if the source is no longer what it was


def open_source(source: str, expected_digest: str, settings: IngestSettings) -> Source:
    """The documents of a source, after a look whether it is still what it was at submission.

    Args:
        expected_digest: of `robo_poet.corpus.source_digest`; '' takes the source as it is now.

    Raises:
        BadInput: the source is not there, may not be read, is of no known kind, or has changed.
    """
    if not source:
        if not settings.bundled:
            raise BadInput("no corpus: none is given and ingest.bundled is empty", remedy="give CORPUS or name a bundled corpus")
        names: list[str] = [*settings.bundled]
        return Source("+".join(names), lambda: bundled_documents(names), settings.bundled_megabytes)
    digest = expected_digest or source_digest(source)

    def verify() -> None:
        if (actual := source_digest(source)) != digest:
            raise BadInput(
                f"the source changed since the run was submitted (digest {actual[:12]}, then {digest[:12]})",
                where=source,
                remedy="submit the run again",
            )

    if expected_digest:
        verify()
    if is_bucket(source):
        from robo_poet.corpus.bucket import download  # the client library is slow to import, and most sources are local

        root = download(source, Path("source", digest[:16]))  # of this content: an earlier run here may have fetched another
        verify()  # the bucket may have changed between the look and the download, but the copy is ours
        return Source(source, _local(root, settings))
    return Source(source, _local(Path(source), settings), verify=verify)


def _local(root: Path, settings: IngestSettings) -> Callable[[], Iterator[Document]]:
    files = source_files(root)
    if files != [root]:
        return lambda: folder_documents(root, files)
    if root.name.lower().endswith(TABLES):
        return lambda: table_documents(root, settings.columns)
    return lambda: file_documents(root)
