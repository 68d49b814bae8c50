"""The journal: the database in which rows, audit entries and CRM events live."""
