from aftercall.domain.answer import Observed, one_line


def test_what_is_shown_of_a_contact_leaves_out_its_notes_and_custom_fields() -> None:
    contact = Observed("READY", notes="her secret", custom_fields={"phone": "0555"})
    assert "her secret" not in repr(contact)
    assert "0555" not in repr(contact)


def test_one_line_makes_each_run_of_blanks_and_control_characters_one_blank() -> None:
    assert one_line(" a\r\n\tb\x00\x1bc\u2028d\xa0e\u200bf ") == "a b c d e f"


def test_one_line_of_nothing_is_nothing() -> None:
    assert one_line(" \n ") == ""
