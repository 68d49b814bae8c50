"""The configuration: precedence, every problem at once in plain words, and secrets."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pytest
from pydantic import ValidationError

from aftercall.domain.outcomes import Category
from aftercall.domain.pacing import Pace
from aftercall.domain.retry import DeferPolicy, RetryPolicy
from aftercall.errors import ConfigInvalid
from aftercall.settings import (
    Crm,
    Limits,
    Rows,
    Settings,
    Tenant,
    load_credentials,
    load_crm_secrets,
    load_settings,
    settings_from,
)

CLIENT = ("client_id", "client_secret")
KEY = ("key_id", "key_secret")

MINIMAL = """
[tenant]
instance = "na1"
[outcomes]
INTERESTED = "positive"
DO_NOT_CALL = "opt_out"
"""
SECRET = "hunter2"
LONG = "hunter2hunter2hunter2"


class Write(Protocol):
    """Writes a file into the test's directory."""

    def __call__(self, text: str, name: str = "aftercall.toml") -> Path: ...


@pytest.fixture
def written(tmp_path: Path) -> Write:
    def write(text: str, name: str = "aftercall.toml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def problems(
    path: Path,
    environment: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> list[str]:
    """Return the problems of a configuration, one line each."""
    with pytest.raises(ConfigInvalid) as caught:
        load_settings(path, environment or {}, overrides or {})
    assert SECRET not in str(caught.value)
    assert caught.value.fix
    head, *lines = str(caught.value).split("\n  ")
    assert head.endswith("has 1 problem:" if len(lines) == 1 else f"has {len(lines)} problems:")
    return lines


@pytest.mark.parametrize("name", ["Outbound V1", "", "outbound_v1"])
def test_a_profile_is_a_name_or_a_path(written: Write, name: str) -> None:
    text = MINIMAL.replace("[tenant]", f'[tenant]\nprofile = "{name}"')
    with pytest.raises(ConfigInvalid, match=r"tenant\.profile: must be the name of a profile"):
        load_settings(written(text), {})


def test_a_profile_of_ones_own_lies_beside_the_file(written: Write) -> None:
    path = written(MINIMAL.replace("[tenant]", '[tenant]\nprofile = "./gateway.toml"'))
    assert Path(load_settings(path, {}).tenant.profile) == path.parent / "gateway.toml"
    environment = {"AFTERCALL__TENANT__PROFILE": "outbound-v1"}
    assert load_settings(path, environment).tenant.profile == "outbound-v1"


class TestPrecedence:
    def test_what_is_not_given_has_its_default(self, written: Write) -> None:
        settings = load_settings(written(MINIMAL), {})
        assert settings.limits == Limits()
        assert settings.rows == Rows()
        assert settings.crm == Crm()
        assert settings.tenant.profile == "outbound-v1"
        assert settings.tenant.total_seconds == 60.0

    def test_environment_wins_over_file_and_flags_over_both(self, written: Write) -> None:
        path = written(MINIMAL + "[limits]\nconcurrency = 1\nbatch = 1\nturn_seconds = 1\n")
        environment = {"AFTERCALL__LIMITS__CONCURRENCY": "2", "AFTERCALL__LIMITS__BATCH": "2"}
        limits = load_settings(path, environment, {"limits.batch": 3}).limits
        assert (limits.turn_seconds, limits.concurrency, limits.batch) == (1.0, 2, 3)

    def test_a_flag_that_was_not_given_changes_nothing(self, written: Write) -> None:
        settings = load_settings(written(MINIMAL), {}, {"limits.batch": None})
        assert settings.limits.batch == 50

    def test_everything_can_come_from_the_environment(self) -> None:
        environment = {
            "AFTERCALL__TENANT__INSTANCE": "na1",
            "AFTERCALL__OUTCOMES__DO_NOT_CALL": "opt_out",
            "AFTERCALL__OUTCOMES__SOLD": '"positive"',
            "PATH": "/bin",
            "AFTERCALL_CRM_SECRET": SECRET,
        }
        settings = load_settings(None, environment)
        assert settings.tenant.instance == "na1"
        assert settings.outcomes == {"DO_NOT_CALL": Category.OPT_OUT, "SOLD": Category.POSITIVE}

    @pytest.mark.parametrize(
        ("variable", "text", "value"),
        [
            ("CRM__INCLUDE", '["notes"]', ("notes",)),
            ("LIMITS__CAMPAIGNS", "{ 4711 = 5 }", {"4711": 5.0}),
            ("LIMITS__CAMPAIGNS__Spring__2026", "5", {"Spring__2026": 5.0}),
            ("ROWS__CONSTANTS__campaign", "1_000", {"campaign": "1_000"}),
            ("ROWS__COLUMNS__contact", "Lead ID", {"contact": "Lead ID"}),
            ("RETRY__ATTEMPTS_MAX", " 7 # for now", 7),
            ("JOURNAL__URL", '"sqlite:///x.db"', "sqlite:///x.db"),
            ("TENANT__INSTANCE", "123", "123"),
            ("TENANT__INSTANCE", "na2", "na2"),
        ],
    )
    def test_variables_hold_toml_or_text(
        self, written: Write, variable: str, text: str, value: object
    ) -> None:
        environment = {f"AFTERCALL__{variable}": text}
        settings = load_settings(written(MINIMAL), environment).model_dump()
        table, key = variable.lower().split("__")[:2]
        assert settings[table][key] == value

    def test_a_line_break_does_not_smuggle_in_a_second_key(self, written: Write) -> None:
        found = problems(written(MINIMAL), {"AFTERCALL__LIMITS__BATCH": "3\nconcurrency = 4"})
        assert found == [
            r'AFTERCALL__LIMITS__BATCH: "3\nconcurrency = 4" is text; a whole number is wanted'
        ]

    def test_a_table_takes_the_place_of_the_one_below_it(self, written: Write) -> None:
        environment = {
            "AFTERCALL__OUTCOMES__LATER": "callback",
            "AFTERCALL__OUTCOMES": '{ SOLD = "positive" }',
        }
        settings = load_settings(written(MINIMAL), environment)
        assert settings.outcomes == {"SOLD": Category.POSITIVE, "LATER": Category.CALLBACK}

    def test_naming_one_address_drops_the_other_below(self, written: Write) -> None:
        path, url = written(MINIMAL), "http://127.0.0.1:8080"
        by_variable = load_settings(path, {"AFTERCALL__TENANT__BASE_URL": url}).tenant
        by_flag = load_settings(path, {}, {"tenant.base_url": url}).tenant
        assert (by_variable.instance, by_variable.base_url) == (None, url)
        assert by_flag == by_variable

    def test_both_addresses_in_one_layer_are_a_problem(self, written: Write) -> None:
        environment = {
            "AFTERCALL__TENANT__BASE_URL": "https://x.example",
            "AFTERCALL__TENANT__INSTANCE": "na1",
        }
        found = problems(written(MINIMAL), environment)
        assert found == ["tenant: give instance or base_url, not both"]

    def test_a_flag_takes_over_the_name_of_what_it_replaces(self, written: Write) -> None:
        environment = {"AFTERCALL__LIMITS__BATCH": "1"}
        found = problems(written(MINIMAL), environment, {"limits.batch": 0})
        assert found == ["limits.batch: 0 is too small; at least 1"]


class TestProblems:
    def test_all_of_all_layers_come_at_once(self, written: Write) -> None:
        path = written("[limits]\nconcurency = 5\nbatch = 0\n[retry]\nattempts_max = 2.5\n")
        found = problems(path, {"AFTERCALL__CRM__CONCURRENCY": "99"}, {"limits.bach": 1})
        assert sorted(found) == [
            "AFTERCALL__CRM__CONCURRENCY: 99 is too large; at most 50",
            'limits.bach: unknown key; did you mean "batch"?',
            "limits.batch: 0 is too small; at least 1",
            'limits.concurency: unknown key; did you mean "concurrency"?',
            'outcomes: missing; list the outcome codes, such as INTERESTED = "positive"',
            "retry.attempts_max: 2.5 is a number; a whole number is wanted",
            'tenant: give the address of the tenant: instance = "na1", or base_url',
        ]

    @pytest.mark.parametrize(
        ("lines", "problem"),
        [
            ("[limit]\nbatch = 1", 'limit: unknown key; did you mean "limits"?'),
            (
                "[retry]\nconcurrency = 1",
                'retry.concurrency: unknown key; did you mean "limits.concurrency"?',
            ),
            ('[limits]\nbatch = "20"', 'limits.batch: "20" is text; a whole number is wanted'),
            ("[limits]\nbatch = true", "limits.batch: true is a truth value; a whole number"),
            ("[limits]\nbatch = [1]", "limits.batch: this is a list; a whole number is wanted"),
            ("[limits]\nbatch = { a = 1 }", "limits.batch: this is a table; a whole number"),
            ("[limits]\nheadroom = nan", "limits.headroom: nan is a number; a finite number"),
            ("[limits]\nheadroom = 0.6", "limits.headroom: 0.6 is too large; at most 0.5"),
            (
                "[limits]\nrequests_per_second = 0",
                "limits.requests_per_second: 0 is too small; at least 0.001",
            ),
            ("[limits.campaigns]\n'a b' = -1", 'limits.campaigns."a b": -1 is too small'),
            ("[limits.campaigns]\n'' = 1", 'limits.campaigns."": must not be empty'),
            (f"[limits.campaigns]\n{'a' * 129} = 1", f"limits.campaigns.{'a' * 129}: is too long"),
            ("retry = 3", "retry: 3 is a whole number; a table is wanted"),
            (
                "[retry]\nwait_seconds_initial = 100",
                "retry.wait_seconds_max: is smaller than wait_seconds_initial",
            ),
            (
                '[rows]\non_conflict = "newst"',
                (
                    'rows.on_conflict: "newst" is unknown; one of "newest", "first", "error" is'
                    ' wanted; did you mean "newest"?'
                ),
            ),
            ("[rows]\non_conflict = 3", 'rows.on_conflict: 3 is a whole number; one of "newest"'),
            ("[rows]\ndefer_minutes = 2026-01-01", "rows.defer_minutes: 2026-01-01 is a date"),
            ("[rows.columns]\ncontakt = 'x'", 'rows.columns.contakt: unknown key; did you mean "c'),
            ("[rows.columns]\ncontact = ''", "rows.columns.contact: must not be empty"),
            ("[rows.constants]\nnotes = [1]", "rows.constants.notes: this is a list; text"),
            (
                "[rows.constants]\noutcome = 'interested'",
                (
                    "rows: constants.outcome is not a code listed under [outcomes]; did you mean"
                    ' "INTERESTED"?'
                ),
            ),
            ("[rows.defaults]\noutcome = 'XYZ'", "rows: defaults.outcome is not a code"),
            ("[crm]\ninclude = ['note']", 'crm.include.0: "note" is unknown; one of "notes"'),
            ("[crm]\ninclude = 'notes'", 'crm.include: "notes" is text; a list is wanted'),
            ("[crm]\nurl = 'http://crm.example'", "crm.url: must begin with https://"),
            ("[crm]\nurl = 'https://crm.example/#x'", "crm.url: must not have a fragment"),
            ("[results]\ndirectory = 3", "results.directory: 3 is a whole number; text is wanted"),
        ],
    )
    def test_each_is_told_in_plain_words(self, written: Write, lines: str, problem: str) -> None:
        # Bare keys of the document come before its tables.
        top, tables = (lines, "") if lines[0] != "[" else ("", lines)
        (found,) = problems(written(f"{top}\n{MINIMAL}{tables}"))
        assert found.startswith(problem)

    @pytest.mark.parametrize(
        ("line", "problem"),
        [
            ("interested = 'positive'", "outcomes.interested: is not an outcome code: 3 to 20"),
            ("SOLD = 'positve'", 'outcomes.SOLD: "positve" is unknown; one of "positive", "neg'),
            ("SOLD = 3", 'outcomes.SOLD: 3 is a whole number; one of "positive"'),
        ],
    )
    def test_outcomes(self, written: Write, line: str, problem: str) -> None:
        (found,) = problems(written(MINIMAL + line))
        assert found.startswith(problem)

    def test_an_empty_matrix_is_missing(self, written: Write) -> None:
        (found,) = problems(written("[tenant]\ninstance = 'na1'\n[outcomes]\n"))
        assert found.startswith("outcomes: missing; list the outcome codes")

    @pytest.mark.parametrize(
        ("variable", "problem"),
        [
            (
                "AFTERCALL__LIMITS__CONCURENCY",
                "unknown variable; did you mean AFTERCALL__LIMITS__CONCURRENCY?",
            ),
            (
                "AFTERCALL__CONCURRENCY",
                "unknown variable; did you mean AFTERCALL__LIMITS__CONCURRENCY?",
            ),
            ("AFTERCALL__", "unknown variable"),
            ("AFTERCALL__LIMITS__BATCH__X", "unknown variable"),
            ("AFTERCALL__ZZZ", "unknown variable"),
            ("AFTERCALL__ROWS__COLUMNS__CONTACT", 'unknown key; did you mean "contact"?'),
        ],
    )
    def test_unknown_variables_are_named_as_they_are(
        self, written: Write, variable: str, problem: str
    ) -> None:
        assert problems(written(MINIMAL), {variable: "3"}) == [f"{variable}: {problem}"]

    def test_a_key_within_a_variable_is_found_too(self, written: Write) -> None:
        found = problems(written(MINIMAL), {"AFTERCALL__LIMITS": "{ bach = 3 }"})
        assert found == ['AFTERCALL__LIMITS.bach: unknown key; did you mean "batch"?']

    def test_a_variable_below_a_value_leaves_the_value_to_be_found(self, written: Write) -> None:
        found = problems(written("limits = 3\n" + MINIMAL), {"AFTERCALL__LIMITS__BATCH": "3"})
        assert found == ["limits: 3 is a whole number; a table is wanted"]

    def test_flags_of_the_wrong_type_are_found_too(self, written: Write) -> None:
        found = problems(written(MINIMAL), {}, {"limits.batch": None, "limits.headroom": {1}})
        assert found == ["limits.headroom: this is a set; a number is wanted"]

    def test_outcomes_of_rows_are_not_judged_by_a_broken_matrix(self, written: Write) -> None:
        path = written("tenant = 3\n[outcomes]\nSOLD = 1\n[rows.constants]\noutcome = 'LATER'\n")
        assert [problem.split(":")[0] for problem in problems(path)] == ["tenant", "outcomes.SOLD"]

    def test_long_values_are_cut_and_odd_ones_escaped(self, written: Write) -> None:
        path = written(f"{MINIMAL}[rows]\non_conflict = '{'x' * 100}'")
        assert f'"{"x" * 40}..." is unknown' in problems(path)[0]
        path = written(f'{MINIMAL}[rows]\non_conflict = "\\u001b[31m"')
        assert r'"\u001b[31m" is unknown' in problems(path)[0]


class TestFile:
    def test_a_missing_file_names_the_command_that_writes_one(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigInvalid, match="no configuration file") as caught:
            load_settings(tmp_path / "none.toml", {})
        assert caught.value.next_command == "aftercall init"
        assert caught.value.exit_code == 78

    @pytest.mark.parametrize(
        ("text", "place"),
        [
            ("[tenant]\ninstance na1\n", r"line 2, column 10"),
            ("[tenant]\ninstance = ", r"line 2, column 12"),
            ('[tenant]\ninstance = "na1', r"line 2, column 16"),
        ],
    )
    def test_syntax_errors_name_line_and_column(
        self, written: Write, text: str, place: str
    ) -> None:
        with pytest.raises(ConfigInvalid, match=place):
            load_settings(written(text), {})

    def test_endless_nesting_is_an_error_like_any(self, written: Write) -> None:
        with pytest.raises(ConfigInvalid, match="not valid TOML"):
            load_settings(written(f"a = {'[' * 100_000}"), {})

    def test_a_byte_order_mark_is_no_error(self, tmp_path: Path) -> None:
        path = tmp_path / "aftercall.toml"
        path.write_bytes(MINIMAL.encode("utf-8-sig"))
        assert load_settings(path, {}).tenant.instance == "na1"

    def test_another_encoding_is_named(self, tmp_path: Path) -> None:
        path = tmp_path / "aftercall.toml"
        path.write_bytes(MINIMAL.encode("utf-16"))
        with pytest.raises(ConfigInvalid, match="not UTF-8"):
            load_settings(path, {})

    def test_a_directory_is_no_file(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigInvalid, match="cannot be read: Is a directory"):
            load_settings(tmp_path, {})

    def test_paths_in_it_start_beside_it(self, written: Write, tmp_path: Path) -> None:
        for name in ("ca.pem", "cert.pem", "key.pem"):
            written("", name)
        settings = load_settings(
            written(
                '[tenant]\nca_file = "ca.pem"\nclient_cert_file = "cert.pem"\n'
                'client_key_file = "key.pem"\ninstance = "na1"\n[outcomes]\nSOLD = "positive"\n'
                '[journal]\nurl = "sqlite:///data/x.db"\n[results]\ndirectory = "out"\n'
            ),
            {},
        )
        tenant = settings.tenant
        assert tenant.ca_file == tmp_path / "ca.pem"
        assert tenant.client_cert_file == tmp_path / "cert.pem"
        assert tenant.client_key_file == tmp_path / "key.pem"
        assert settings.journal.path == tmp_path / "data/x.db"
        assert settings.results.directory == tmp_path / "out"

    def test_so_do_those_of_the_crm_and_its_endpoints(self, written: Write, tmp_path: Path) -> None:
        written("", "ca.pem")
        table = '[crm]\nurl = "https://crm.example.com"\nca_file = "ca.pem"\n'
        other = '[crm.endpoints.legal]\nurl = "https://l.example.com"\nca_file = "{}.pem"\n'
        settings = load_settings(written(MINIMAL + table + other.format("ca")), {})
        found = settings.crm.all_endpoints()
        assert {name: one.ca_file for name, one in found.items()} == {
            "crm": tmp_path / "ca.pem",
            "legal": tmp_path / "ca.pem",
        }
        missing = problems(written(MINIMAL + table + other.format("no")))
        assert missing == [f'crm.endpoints.legal.ca_file: there is no file "{tmp_path}/no.pem"']

    def test_so_do_the_defaults(self, written: Write, tmp_path: Path) -> None:
        settings = load_settings(written(MINIMAL), {})
        assert settings.journal.path == tmp_path / "aftercall.db"
        assert settings.results.directory == tmp_path

    def test_paths_in_flags_and_variables_start_where_the_user_is(self, written: Write) -> None:
        environment = {"AFTERCALL__JOURNAL__URL": "sqlite:///x.db"}
        settings = load_settings(written(MINIMAL), environment, {"results.directory": "out"})
        assert settings.journal.path == Path("x.db")
        assert settings.results.directory == Path("out")

    def test_an_absolute_journal_stays_where_it_is(self, written: Write) -> None:
        path = written(f'{MINIMAL}[journal]\nurl = "sqlite:////var/lib/x.db"')
        assert load_settings(path, {}).journal.path == Path("/var/lib/x.db")

    @pytest.mark.parametrize(
        ("url", "problem"),
        [
            (f"postgresql://u:{SECRET}@host/db", "only sqlite:/// is understood"),
            ("aftercall.db", "only sqlite:/// is understood"),
            ("sqlite:///", "names no file"),
            ("sqlite:///data/", "names no file"),
            ("sqlite:///:memory:", "must name a file"),
            ("sqlite:///x.db?mode=ro", "must name a file, without options"),
        ],
    )
    def test_other_journals_are_refused(self, written: Write, url: str, problem: str) -> None:
        (found,) = problems(written(f'{MINIMAL}[journal]\nurl = "{url}"'))
        assert found.startswith(f"journal.url: {problem}")

    def test_files_must_exist(self, written: Write, tmp_path: Path) -> None:
        path = written(f'[tenant]\nca_file = "ca.pem"\n{MINIMAL.replace("[tenant]", "")}')
        assert problems(path) == [f'tenant.ca_file: there is no file "{tmp_path}/ca.pem"']

    def test_a_path_that_cannot_be_looked_at_is_said(self, written: Write) -> None:
        name = "a" * 300
        path = written(f'[tenant]\nca_file = "{name}"\n{MINIMAL.replace("[tenant]", "")}')
        assert problems(path) == ["tenant.ca_file: cannot be read: File name too long"]

    def test_a_key_needs_its_certificate(self, written: Write) -> None:
        written("", "key.pem")
        path = written(MINIMAL.replace("[tenant]", '[tenant]\nclient_key_file = "key.pem"'))
        assert problems(path) == ["tenant.client_key_file: needs client_cert_file beside it"]

    def test_bare_ids_and_times_are_text(self, written: Write) -> None:
        path = written(
            f"{MINIMAL}[rows.constants]\ncampaign = 4711\ntimestamp = 2026-11-23T10:00:00Z\n"
        )
        assert load_settings(path, {}).rows.constants == {
            "campaign": "4711",
            "timestamp": "2026-11-23T10:00:00+00:00",
        }


class TestAddresses:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("https://api.example.com", "https://api.example.com"),
            ("https://api.example.com/cxone/", "https://api.example.com/cxone"),
            ("https://api.example.com:8443", "https://api.example.com:8443"),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ],
    )
    def test_of_a_tenant(self, given: str, kept: str) -> None:
        assert Tenant(base_url=given).base_url == kept

    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            ("api.example.com", "must be a full address"),
            ("ftp://api.example.com", "must be a full address"),
            ("https://", "must be a full address"),
            ("https://{instance}.example.com", "must be a full address"),
            ("https://api.example.com:0", "must be a full address"),
            ("https://api.example.com:99999", "host or port is malformed"),
            ("https://[::1", "host or port is malformed"),
            ("https://127.0.0.1\\\\@api.example.com", "without blanks, backslashes"),
            ("https://api.example.com/a b", "without blanks, backslashes"),
            ("http://api.example.com", "must begin with https://"),
            ("http://127.0.0.1.example.com", "must begin with https://"),
            (f"https://user:{SECRET}@api.example.com", "must not hold a user name or password"),
            (f"https://api.example.com?key={SECRET}", "no query"),
            ("https://api.example.com/#top", "no query"),
            ("", "must be a full address"),
        ],
    )
    def test_of_no_tenant(self, written: Write, given: str, problem: str) -> None:
        text = MINIMAL.replace('instance = "na1"', f'base_url = "{given}"')
        (found,) = problems(written(text))
        assert found.startswith("tenant.base_url: ")
        assert problem in found

    @pytest.mark.parametrize("name", ["", "NA1", "na1.niceincontact.com", "-a", "a/b", "a" * 64])
    def test_of_no_instance(self, written: Write, name: str) -> None:
        (found,) = problems(written(MINIMAL.replace("na1", name)))
        assert found.startswith("tenant.instance: must be an instance name")

    def test_a_crm_may_have_a_query_but_no_password(self, written: Write) -> None:
        url = "https://crm.example/hooks?tenant=7"
        assert load_settings(written(f'{MINIMAL}[crm]\nurl = "{url}"'), {}).crm.url == url
        (found,) = problems(written(f'{MINIMAL}[crm]\nurl = "https://u:{SECRET}@crm.example"'))
        assert found == "crm.url: must not hold a user name or password"

    def test_a_proxy_with_a_password_comes_from_the_environment_only(self, written: Write) -> None:
        proxy = f"http://user:{SECRET}@proxy.example:3128"
        refused = (
            "tenant.proxy: holds a user name or password; give such a proxy in the environment"
            " only: AFTERCALL__TENANT__PROXY"
        )
        in_file = written(MINIMAL.replace("[tenant]", f'[tenant]\nproxy = "{proxy}"'))
        assert problems(in_file) == [refused]
        in_file = written(MINIMAL.replace("[tenant]", f'[tenant]\nproxy = "http://{SECRET}@["'))
        assert problems(in_file)[0] == refused
        path = written(MINIMAL)
        assert problems(path, {}, {"tenant.proxy": proxy}) == [refused]
        settings = load_settings(path, {"AFTERCALL__TENANT__PROXY": proxy})
        assert settings.tenant.proxy is not None
        assert settings.tenant.proxy.get_secret_value() == proxy
        assert SECRET not in repr(settings)
        assert SECRET not in settings.model_dump_json()

    @pytest.mark.parametrize("proxy", ["socks5://p:1", "http://p:3128/path", "p:3128", "http://["])
    def test_of_no_proxy(self, written: Write, proxy: str) -> None:
        (found,) = problems(written(MINIMAL), {"AFTERCALL__TENANT__PROXY": proxy})
        assert found.startswith("AFTERCALL__TENANT__PROXY: must be a")


class TestSecretsInTheConfiguration:
    @pytest.mark.parametrize(
        ("lines", "key", "variable"),
        [
            (f'[crm]\nsecret = "{SECRET}"', "crm.secret", "AFTERCALL_CRM_SECRET"),
            (f'[limits]\napi_key = "{SECRET}"', "limits.api_key", "CXONE_CLIENT_SECRET"),
            (f'CLIENT_SECRET = "{SECRET}"', "outcomes.CLIENT_SECRET", "CXONE_CLIENT_SECRET"),
            (f'client_id = "{SECRET}"', "outcomes.client_id", "CXONE_CLIENT_ID"),
            (f'[retry]\npassword = ["{SECRET}"]', "retry.password", "CXONE_CLIENT_SECRET"),
        ],
    )
    def test_are_refused_without_being_shown(
        self, written: Write, lines: str, key: str, variable: str
    ) -> None:
        (found,) = problems(written(MINIMAL + lines))
        assert found.startswith(f"{key}: secrets do not belong here; they come only from")
        assert variable in found

    def test_are_found_within_unknown_tables_and_lists(self, written: Write) -> None:
        path = written(f'{MINIMAL}[[logon]]\nuser = 1\n[logon.inner]\ntoken = "{SECRET}"')
        first, second = problems(path)
        assert first.startswith("logon.inner.token: secrets do not belong here")
        assert second == "logon: unknown key"

    def test_are_refused_in_variables_for_keys(self, written: Write) -> None:
        environment = {"AFTERCALL__TENANT__CLIENT_SECRET": SECRET}
        (found,) = problems(written(MINIMAL), environment)
        assert found.startswith("AFTERCALL__TENANT__CLIENT_SECRET: secrets do not belong here")

    def test_a_code_that_sounds_like_one_is_a_code(self, written: Write) -> None:
        settings = load_settings(written(f'{MINIMAL}SECRET_SHOPPER = "negative"'), {})
        assert settings.outcomes["SECRET_SHOPPER"] is Category.NEGATIVE

    def test_a_missing_table_does_not_put_the_others_under_suspicion(self, written: Write) -> None:
        path = written('[tenant]\ninstance = "na1"\n[limits.campaigns]\ntoken = 5\n')
        (found,) = problems(path)
        assert found.startswith("outcomes: missing")


class TestLibraryUse:
    def test_settings_are_taken_as_they_are(self) -> None:
        settings = Settings(tenant=Tenant(instance="na1"), outcomes={"SOLD": Category.POSITIVE})
        assert settings_from(settings, {"AFTERCALL__LIMITS__BATCH": "1"}) is settings

    def test_tables_stand_in_for_the_file(self) -> None:
        limits = {"batch": 2, "concurrency": 2}
        tables = {
            "tenant": Tenant(instance="na1"),
            "outcomes": {"SOLD": "positive"},
            "limits": limits,
        }
        settings = settings_from(tables, {"AFTERCALL__LIMITS__BATCH": "1"})
        assert (settings.limits.batch, settings.limits.concurrency) == (1, 2)
        assert limits["batch"] == 2
        assert settings.journal.path == Path("aftercall.db")

    def test_tables_with_problems_are_refused_as_a_file_is(self) -> None:
        with pytest.raises(ConfigInvalid, match="give the address of the tenant"):
            settings_from({"outcomes": {"SOLD": "positive"}}, {})

    @pytest.mark.parametrize("kind", [str, Path])
    def test_a_path_is_read(self, written: Write, kind: type[str] | type[Path]) -> None:
        assert settings_from(kind(written(MINIMAL)), {}).tenant.instance == "na1"

    def test_without_any_the_file_in_the_working_directory_is_read(
        self, written: Write, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = written(MINIMAL)
        monkeypatch.chdir(path.parent)
        assert settings_from(None, {}).tenant.instance == "na1"
        path.unlink()
        with pytest.raises(ConfigInvalid, match="outcomes: missing") as caught:
            settings_from(None, {})
        assert caught.value.next_command == "aftercall init"

    def test_nothing_changes_later(self) -> None:
        settings = Settings(tenant=Tenant(instance="na1"), outcomes={"SOLD": Category.POSITIVE})
        with pytest.raises(ValidationError):
            settings.limits.batch = 3

    def test_the_errors_of_the_models_show_no_values(self) -> None:
        with pytest.raises(ValidationError) as caught:
            Tenant(base_url=f"https://u:{SECRET}@x.example")
        assert SECRET not in str(caught.value)


class TestPlainValues:
    settings = Settings.model_validate(
        {
            "tenant": {"instance": "na1"},
            "outcomes": {"SOLD": "positive"},
            "limits": {"requests_per_second": 20, "headroom": 0, "campaigns": {"slow": 0.5}},
            "retry": {
                "attempts_max": 3,
                "wait_seconds_initial": 2,
                "wait_seconds_max": 4,
                "elapsed_minutes_max": 2,
            },
            "rows": {"defer_minutes": 3},
        }
    )

    def test_retry_policy(self) -> None:
        assert self.settings.retry_policy() == RetryPolicy(3, 2.0, 4.0, 120.0)

    def test_defer_policy(self) -> None:
        assert self.settings.defer_policy() == DeferPolicy(elapsed_seconds_max=180.0)

    def test_defaults_are_those_of_the_domain(self) -> None:
        settings = Settings(tenant=Tenant(instance="na1"), outcomes={"SOLD": Category.POSITIVE})
        assert settings.retry_policy() == RetryPolicy()
        assert settings.defer_policy() == DeferPolicy()
        assert settings.pace("any") == Pace(10.0)

    def test_pace_of_a_campaign(self) -> None:
        assert self.settings.pace("any") == Pace(20.0, 0.0)
        assert self.settings.pace("slow") == Pace(0.5, 0.0)

    def test_pace_of_the_tenant(self) -> None:
        assert self.settings.pace_total() is None
        limits = Limits(requests_per_second_total=100)
        assert self.settings.model_copy(update={"limits": limits}).pace_total() == Pace(100.0)


class TestCredentials:
    def test_from_variables(self) -> None:
        found = load_credentials({"CXONE_CLIENT_ID": "me", "CXONE_CLIENT_SECRET": SECRET}, [CLIENT])
        assert found["client_id"].get_secret_value() == "me"
        assert found["client_secret"].get_secret_value() == SECRET
        assert SECRET not in repr(found)

    def test_from_files(self, written: Write) -> None:
        environment = {
            "CXONE_CLIENT_ID_FILE": str(written("\ufeffme\r\n", "id")),
            "CXONE_CLIENT_SECRET_FILE": str(written(f"  {SECRET}\n", "secret")),
        }
        found = load_credentials(environment, [CLIENT])
        told = [secret.get_secret_value() for secret in found.values()]
        assert told == ["me", SECRET]

    def test_both_missing_are_one_message(self) -> None:
        with pytest.raises(ConfigInvalid) as caught:
            load_credentials({}, [CLIENT])
        assert str(caught.value) == "CXONE_CLIENT_ID and CXONE_CLIENT_SECRET are not set."
        assert "CXONE_CLIENT_SECRET_FILE" in caught.value.fix

    def test_one_missing_is_named_alone(self) -> None:
        with pytest.raises(ConfigInvalid) as caught:
            load_credentials({"CXONE_CLIENT_ID": "me"}, [CLIENT])
        assert str(caught.value) == "CXONE_CLIENT_SECRET is not set."
        assert "CXONE_CLIENT_ID" not in caught.value.fix

    @pytest.mark.parametrize(
        ("given", "problem"),
        [
            ({"CXONE_CLIENT_SECRET": " "}, "CXONE_CLIENT_SECRET: is empty."),
            (
                {"CXONE_CLIENT_SECRET": f"{SECRET}\n"},
                "CXONE_CLIENT_SECRET: holds a line break or another control character.",
            ),
            ({"CXONE_CLIENT_SECRET_FILE": ""}, "CXONE_CLIENT_SECRET_FILE: is empty; it must"),
            (
                {"CXONE_CLIENT_SECRET_FILE": "/nowhere/x"},
                "CXONE_CLIENT_SECRET_FILE: /nowhere/x cannot be read: No such file",
            ),
            (
                {"CXONE_CLIENT_SECRET": SECRET, "CXONE_CLIENT_SECRET_FILE": "x"},
                "CXONE_CLIENT_SECRET: CXONE_CLIENT_SECRET_FILE is set as well; set one",
            ),
        ],
    )
    def test_what_cannot_be_used_is_said(self, given: dict[str, str], problem: str) -> None:
        with pytest.raises(ConfigInvalid) as caught:
            load_credentials({"CXONE_CLIENT_ID": "me", **given}, [CLIENT])
        assert str(caught.value).startswith(problem)
        assert SECRET not in str(caught.value)
        assert "CXONE_CLIENT_SECRET in the environment" in caught.value.fix

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b" \n", "the file is empty"),
            (b"\xff\xfe\x00", "the file is not UTF-8 text"),
            (b"one\ntwo", "holds a line break"),
        ],
    )
    def test_files_that_cannot_be_used(self, tmp_path: Path, content: bytes, problem: str) -> None:
        path = tmp_path / "secret"
        path.write_bytes(content)
        environment = {"CXONE_CLIENT_ID": "me", "CXONE_CLIENT_SECRET_FILE": str(path)}
        with pytest.raises(ConfigInvalid, match=problem):
            load_credentials(environment, [CLIENT])

    def test_missing_and_malformed_are_told_together(self) -> None:
        with pytest.raises(ConfigInvalid) as caught:
            load_credentials({"CXONE_CLIENT_ID": ""}, [CLIENT])
        assert str(caught.value) == "CXONE_CLIENT_SECRET is not set; CXONE_CLIENT_ID: is empty."

    @pytest.mark.parametrize(
        ("given", "wanted"),
        [
            ({"CXONE_ACCESS_KEY_ID": "k", "CXONE_ACCESS_KEY_SECRET": "s"}, KEY),
            (
                {
                    "CXONE_ACCESS_KEY_ID": "k",
                    "CXONE_ACCESS_KEY_SECRET": "s",
                    "CXONE_CLIENT_ID": "c",
                    "CXONE_CLIENT_SECRET": "d",
                },
                (*CLIENT, *KEY),
            ),
        ],
    )
    def test_the_first_way_whose_secrets_are_all_set_is_used(
        self, given: dict[str, str], wanted: tuple[str, ...]
    ) -> None:
        assert tuple(load_credentials(given, [(*CLIENT, *KEY), KEY])) == wanted

    def test_what_is_missing_is_that_of_the_nearest_way_and_the_others_are_named(self) -> None:
        with pytest.raises(ConfigInvalid) as caught:
            load_credentials({"CXONE_ACCESS_KEY_ID": "k"}, [(*CLIENT, *KEY), KEY])
        assert str(caught.value) == "CXONE_ACCESS_KEY_SECRET is not set."
        assert "Instead you can set CXONE_CLIENT_ID, CXONE_CLIENT_SECRET, " in caught.value.fix

    def test_a_tenant_that_needs_none_gets_none(self) -> None:
        assert load_credentials({}, [()]) == {}


class TestCrmSecrets:
    def test_several_while_rotating(self, written: Write) -> None:
        coded = f"whsec_{base64.b64encode(b'a key of many bytes').decode()}"
        found = load_crm_secrets({"AFTERCALL_CRM_SECRET_FILE": str(written(f"{coded}\n{LONG}"))})
        assert [secret.get_secret_value() for secret in found] == [coded, LONG]
        assert LONG not in repr(found)

    @pytest.mark.parametrize(
        ("environment", "problem"),
        [
            ({}, "AFTERCALL_CRM_SECRET is not set."),
            ({"AFTERCALL_CRM_SECRET": ""}, "AFTERCALL_CRM_SECRET: is empty."),
            ({"AFTERCALL_CRM_SECRET": "whsec_%"}, "AFTERCALL_CRM_SECRET: what follows whsec_ is"),
            ({"AFTERCALL_CRM_SECRET": "a whsec_"}, "AFTERCALL_CRM_SECRET: nothing follows whsec_"),
            ({"AFTERCALL_CRM_SECRET": "x" * 15}, "AFTERCALL_CRM_SECRET: a secret has less than 16"),
            ({"AFTERCALL_CRM_SECRET": f"{'x' * 16} y"}, "AFTERCALL_CRM_SECRET: a secret has less"),
        ],
    )
    def test_what_cannot_be_used_is_said(self, environment: dict[str, str], problem: str) -> None:
        with pytest.raises(ConfigInvalid) as caught:
            load_crm_secrets(environment)
        assert str(caught.value).startswith(problem)
        assert caught.value.next_command == "aftercall crm rotate-secret"


def test_a_directory_that_cannot_be_one(written: Write) -> None:
    with pytest.raises(ConfigInvalid, match=r"results\.directory: must not hold a NUL character"):
        load_settings(written(MINIMAL + '[results]\ndirectory = "a\\u0000b"\n'), {})
