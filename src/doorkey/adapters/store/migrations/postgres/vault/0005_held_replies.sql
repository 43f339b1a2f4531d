-- What waits for a person's word after a sign-in came back: a code to be exchanged again, or who else signed in. Sealed.
ALTER TABLE attempts ADD COLUMN held bytea;
