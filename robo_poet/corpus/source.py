"""Opens a corpus source: a bundled corpus, a local path or a bucket. The documents can be read repeatedly, because ingest reads twice."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from robo_poet.corpus.bundled import bundled_documents
from robo_poet.corpus.document import LIVE, Document
from robo_poet.corpus.file_kinds import is_table
from robo_poet.corpus.readers.reading_log import ReadingLog
from robo_poet.corpus.readers.tables import table_documents
from robo_poet.corpus.readers.text_files import file_documents, folder_documents
from robo_poet.corpus.source_digest import source_digest
from robo_poet.corpus.source_files import SourceFiles, is_bucket, source_files
from robo_poet.errors import BadInput
from robo_poet.settings.data import IngestSettings


@dataclass(frozen=True)
class Source:
    """A source of documents that can be read repeatedly."""

    name: str  # shown in messages
    documents: Callable[[], Iterator[Document]]  # each call reads the source again
    megabytes: float = 0  # size of the sample; 0 reads all. User corpora are never sampled.
    verify: Callable[[], None] = lambda: None  # raises BadInput if the source has changed
    not_read: tuple[str, ...] = ()  # warnings that name what is not read, such as links
    log: ReadingLog = field(default_factory=ReadingLog)  # what the latest reading assumed

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return the warnings of the source. Those of its content exist after a reading of all documents."""
        return (*self.not_read, *self.log.warnings)


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
        return _local_source(source, source_files(root), settings)
    return _local_source(source, source_files(Path(source)), settings, verify)


def check_live_text(path: str) -> None:
    """Raise BadInput if there is no such file, or it is not `.jsonl`."""
    what = "live text is a .jsonl file" if not path.endswith(".jsonl") else "no such file" if not Path(path).is_file() else ""
    if what:
        raise BadInput(what, where=path, remedy="give a file of `requests corpus`")


def open_live_text(path: str, expected_digest: str) -> Source:
    """Open a file that `robo-poet requests corpus` wrote. The settings of the corpus, such as names of columns, do not apply to it.

    Args:
        expected_digest: see `open_source`.

    Raises:
        BadInput: the file is missing or unreadable, is not `.jsonl`, or has changed.
    """
    check_live_text(path)
    source = open_source(path, expected_digest, IngestSettings())
    return replace(source, documents=lambda: (replace(document, source=LIVE) for document in source.documents()))


def joined(first: Source, second: Source) -> Source:
    """Return a source with the documents of both. Its name, sample and log are those of the first."""

    def documents() -> Iterator[Document]:
        yield from first.documents()
        yield from second.documents()

    def verify() -> None:
        first.verify()
        second.verify()

    return replace(first, documents=documents, verify=verify, not_read=(*first.not_read, *second.not_read))


def _local_source(name: str, files: SourceFiles, settings: IngestSettings, verify: Callable[[], None] = lambda: None) -> Source:
    log, divides = ReadingLog(), settings.few_works == "divide"
    if files.names:
        return Source(name, lambda: folder_documents(files, settings.encoding, log, divides), 0, verify, files.warnings, log)
    if is_table(files.member or files.root.name):
        return Source(name, lambda: table_documents(files, settings.columns, settings.encoding, log), 0, verify, files.warnings, log)
    return Source(name, lambda: file_documents(files, settings.encoding, log, divides), 0, verify, files.warnings, log)
