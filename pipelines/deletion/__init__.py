"""Deletion of documents from the store, the runs, the reports and the request log, and the trace of a document (DATA-4)."""
