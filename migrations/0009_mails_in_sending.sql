-- An attempt at a mail has begun long before anything of the mail is sent, and only from then on it may have arrived.
ALTER TABLE outbox ADD COLUMN sending_since INTEGER; -- while it is sent
UPDATE outbox SET sending_since = attempt_started_at WHERE attempt_started_at IS NOT NULL;
