"""From the source that the caller named to a reader of its documents. A reader may be called again: ingest reads twice."""

from collections.abc import Callable, Iterator
from pathlib import Path

from components.ingest.bundled import bundled_documents
from components.ingest.tabular import table_documents
from components.ingest.user_text import file_documents, folder_documents
from robo_poet.corpus.document import Document
from robo_poet.corpus.source_digest import source_digest
from robo_poet.corpus.source_files import TABLES, is_bucket, source_files
from robo_poet.errors import BadInput
from robo_poet.settings.ingest import IngestSettings

Reader = Callable[[], Iterator[Document]]


def reader(source: str, expected_digest: str, settings: IngestSettings) -> Reader:
    """The reader of a source, after a look whether it is still what it was at submission.

    Args:
        expected_digest: of `robo_poet.corpus.source_digest`; '' is not checked.

    Raises:
        BadInput: the source is not there, may not be read, is of no known kind, or has changed.
    """
    if not source:
        if not settings.bundled:
            raise BadInput("no corpus: none is given and ingest.bundled is empty", remedy="give CORPUS or name a bundled corpus")
        return lambda: bundled_documents(list(settings.bundled))
    actual = source_digest(source)
    if expected_digest and actual != expected_digest:
        raise BadInput(
            f"the source changed since the run was submitted (digest {actual[:12]}, then {expected_digest[:12]})",
            where=source,
            remedy="submit the run again",
        )
    root = Path(source)
    if is_bucket(source):
        from robo_poet.corpus.bucket import download  # the client library is slow to import, and most sources are local

        root = download(source, Path("source", actual[:16]))  # of this content: an earlier run here may have fetched another
    files = source_files(root)
    if files != [root]:
        return lambda: folder_documents(root, files)
    if root.name.lower().endswith(TABLES):
        return lambda: table_documents(root, settings.columns)
    return lambda: file_documents(root)
