-- Whether a mail of the edition did not show all of its hits, because they were too many or the mail too large.
ALTER TABLE edition ADD COLUMN cut INTEGER NOT NULL DEFAULT 0;
