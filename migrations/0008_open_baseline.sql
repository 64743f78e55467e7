-- When the first document of a feed was read, where that had lost its end and no whole one came since: what was cut off
-- belongs to the baseline, too.
ALTER TABLE feed ADD COLUMN baseline_open_since INTEGER;
