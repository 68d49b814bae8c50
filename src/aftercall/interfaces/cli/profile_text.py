"""The commented profile that `aftercall profile new` writes."""

_TEXT = """\
# How one tenant's API is spoken. Change what differs at yours; then run:
#   aftercall profile check ./{name}.toml
# Every key: docs/profiles.md. A worked example: docs/teach-it-your-gateway.md.
# No secrets here: they come from the environment, see [[auth]].
name = "{name}"
about = "our gateway in front of the contact centre"

# Where it is. [tenant] base_url of aftercall.toml takes the place of this and of every host below.
[base]
url = "https://{{instance}}.example.com"

# How one is let in: client_credentials, password (an access key), access_key_json,
# static_bearer (CXONE_TOKEN) or none. Several [[auth]]: the first whose secrets are set.
[[auth]]
style = "client_credentials"         # needs CXONE_CLIENT_ID and CXONE_CLIENT_SECRET
url = "/oauth2/token"
# scope = "contacts:write"
# client_auth = "basic"               # client id and secret as HTTP Basic, not as form fields

# [auth.answer]                       # the names in its answer, where they differ
# access_token = "access_token"
# expires_in = "expires_in"

# How a contact is read. Paths have dots: "contact.state".
[read]
url = "/campaigns/{{campaign}}/contacts/{{contact}}"
# envelope = ["data", ""]             # where in the answer the contact may stand
# absent = [404, 410]                 # these statuses say that there is no such contact
# etag_header = "etag"                # or etag = "version", where it stands in the body

[read.fields]
state = "state"
outcome = "outcomeCode"
agent = "agentId"
notes = "notes"
timestamp = "dispositionTimestamp"
custom_fields = "customFields"

# [read.bulk]                         # where several contacts can be read with one request
# url = "/campaigns/{{campaign}}/contacts"
# ids = "ids"                         # the parameter; or method = "POST" and ids_in = "json"
# max = 50
# items = "contacts"                  # the list in the answer
# id = "contactId"                    # the contact's id in an item; its fields are as above
# etag = "version"                    # an item has no header; or if_match = false below

# How a disposition is written: field of the request = what it carries.
[write]
method = "PATCH"
url = "/campaigns/{{campaign}}/contacts/{{contact}}"
success = [200, 204]
# body = "json"                       # or "form" or "query"
# wrapper = "disposition"             # the object that holds the fields
# if_match = false                    # where the tenant knows no If-Match
# dropped = ["custom_fields"]         # what this API cannot take, in place of its line below

[write.fields]
outcomeCode = "outcome"
agentId = "agent"
notes = "notes"                       # or {{ from = "notes", characters_max = 2000 }}
dispositionTimestamp = "timestamp"    # or {{ from = "timestamp", format = "epoch_seconds" }}
customFields = "custom_fields"
# source = {{ value = "aftercall" }}    # the same for all rows
# callbackTime = "custom_fields.callback_time"

# What each dialer state means; upper and lower case and blanks do not matter. A state in none of
# the lists counts as a call: nothing is written on a guess.
[states]
wait = ["DIALING", "RINGING", "CONNECTED", "WRAP_UP"]
allowed = ["READY", "COMPLETED"]
# closed = ["ARCHIVED"]               # the tenant takes nothing any more

# Where the tenant wants ids in place of codes:
# [codes]
# source = "static"
# static = {{ INTERESTED = "17", DO_NOT_CALL = "4" }}

# Where a refusal's words stand, and what particular ones mean.
[errors]
words = ["message", "error_description", "error"]

# [[errors.rules]]
# status = [409]
# text = "locked"
# means = "wait"                      # retry, wait, throttled, permanent, absent, auth, permission
# reason = "contact_locked"
# fix = "Somebody has the contact open."
"""


def profile_text(name: str) -> str:
    """Return a profile to start from, under a name."""
    return _TEXT.format(name=name)
