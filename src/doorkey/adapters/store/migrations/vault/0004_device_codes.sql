-- What a server gave for a sign-in on another device, sealed; empty for a sign-in in the browser.
ALTER TABLE attempts ADD COLUMN device BLOB;
