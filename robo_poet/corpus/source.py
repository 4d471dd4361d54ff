"""Opens a corpus source: a bundled corpus, a local path or a bucket. The documents can be read repeatedly, because ingest reads twice."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from robo_poet.corpus.bundled import bundled_documents
from robo_poet.corpus.document import Document
from robo_poet.corpus.source_digest import source_digest
from robo_poet.corpus.source_files import TABLES, SourceFiles, is_bucket, source_files
from robo_poet.corpus.user_text import file_documents, folder_documents, table_documents
from robo_poet.errors import BadInput
from robo_poet.settings.data import IngestSettings


@dataclass(frozen=True)
class Source:
    """A source of documents that can be read repeatedly."""

    name: str  # shown in messages
    documents: Callable[[], Iterator[Document]]  # each call reads the source again
    megabytes: float = 0  # size of the sample; 0 reads all. User corpora are never sampled.
    verify: Callable[[], None] = lambda: None  # raises BadInput if the source has changed
    warnings: tuple[str, ...] = ()  # what is not read, such as links


def open_source(source: str, expected_digest: str, settings: IngestSettings) -> Source:
    """Open a source, after a check that it has not changed since the run was submitted.

    Args:
        source: local path or bucket URL; '' opens the bundled corpora of the settings.
        expected_digest: result of `robo_poet.corpus.source_digest` at submission; '' accepts the current content.

    Raises:
        BadInput: the source is missing, unreadable, of an unknown type, or has changed.
    """
    if not source:
        if not settings.bundled:
            raise BadInput(
                "no corpus: CORPUS and ingest.bundled are both empty", remedy="give CORPUS, or name a bundled corpus in ingest.bundled"
            )
        names: list[str] = [*settings.bundled]
        return Source("+".join(names), lambda: bundled_documents(names), settings.bundled_megabytes)
    digest = expected_digest or source_digest(source)

    def verify() -> None:
        if (actual := source_digest(source)) != digest:
            raise BadInput(
                f"the source changed since the run was submitted (digest was {digest[:12]}, is {actual[:12]})",
                where=source,
                remedy="submit the run again",
            )

    if expected_digest:
        verify()
    if is_bucket(source):
        from robo_poet.corpus.bucket import download  # the client library is slow to import, and most sources are local

        root = download(source, Path("source", digest[:16]))  # digest in the path: an earlier run may have fetched other content
        verify()  # the bucket may have changed before the download ended; the copy cannot change
        return Source(source, _local_documents(source_files(root), settings))
    files = source_files(Path(source))
    return Source(source, _local_documents(files, settings), verify=verify, warnings=files.warnings)


def _local_documents(files: SourceFiles, settings: IngestSettings) -> Callable[[], Iterator[Document]]:
    if files.names:
        return lambda: folder_documents(files)
    if files.root.name.lower().endswith(TABLES):
        return lambda: table_documents(files.root, settings.columns)
    return lambda: file_documents(files.root)
