"""The right to deletion (DATA-4): which documents are meant, the list of suppressed documents, the journal and the receipts."""
