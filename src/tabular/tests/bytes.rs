//! Files that are no UTF-8 CSV: what they are, which lines are affected, and what to do.

use super::{errors, header_of, load_one};

#[track_caller]
fn only_error(bytes: &[u8]) -> String {
    let found = errors(bytes, "{}");
    assert_eq!(found.len(), 1, "{found:?}");
    found[0].clone()
}

/// A table in UTF-8 of which these data rows, counted from 0, are written in Latin-1.
fn mixed(rows: usize, latin: &[usize]) -> Vec<u8> {
    let mut bytes = b"n,name\n".to_vec();
    for row in 0..rows {
        if latin.contains(&row) {
            bytes.extend(format!("{row},").as_bytes());
            bytes.extend(b"Zo\xeb\n");
        } else {
            bytes.extend(format!("{row},Zoë – “x”\n").as_bytes());
        }
    }
    bytes
}

#[test]
fn a_few_damaged_lines_are_named_and_the_others_are_not_to_be_converted() {
    let found = only_error(&mixed(60, &[30, 45]));
    assert!(
        found.starts_with("a.csv:32:6: byte 0xeb is not valid UTF-8; of 61 lines 2 are not: lines 32, 47"),
        "{found}"
    );
    assert!(found.contains("converting the whole file would spoil") && !found.contains("encoding:"), "{found}");
    let many: Vec<usize> = (0..20).collect();
    let found = only_error(&mixed(1000, &many));
    assert!(found.contains("lines 2, 3, 4, 5, 6 and 15 more") && !found.contains("encoding:"), "{found}");
}

#[test]
fn a_file_in_another_encoding_is_to_be_converted() {
    let all: Vec<usize> = (0..60).collect();
    let found = only_error(&mixed(60, &all));
    assert!(found.contains("of 61 lines 60 are not") && found.contains("write `encoding: windows-1252`"), "{found}");
    let found = only_error(&mixed(60, &all[..50]));
    assert!(
        found.contains("encoding: windows-1252")
            && found.contains("but lines 52, 53, 54, 55, 56 and 5 more have characters that are UTF-8 already"),
        "{found}"
    );
    // Two bytes that happen to be UTF-8, of a mark on nothing or one letter of another script, are not meant as that.
    let chance = only_error(
        &[b"t\nfor \xcc\xbc1.20\n\xc9\x94\n".as_slice(), &b"only \xe5\xa31.50 the day\n".repeat(9)].concat(),
    );
    assert!(chance.contains("(if the file is Windows-1252, write `encoding: windows-1252`)"), "{chance}");
    // Words of other scripts and accents that stand alone are.
    for meant in ["Привет", "e\u{301}te\u{301}", "日"] {
        let found = only_error(&[format!("t\n{meant}\n").as_bytes(), &b"Zo\xeb\n".repeat(9)].concat());
        assert!(found.contains("but line 2 has characters that are UTF-8 already"), "{found}");
    }
    let quotes = only_error(b"t\n\x93so\x94\nx\n");
    assert!(quotes.contains("if the file is Windows-1252, write"), "{quotes}");
    // Shift JIS: two bytes a character.
    let both = only_error(b"t\nZo\xc3\xab, Zo\xeb\nx\nZo\xc3\xab, Zo\xeb\n");
    assert!(both.contains("of 4 lines 2 are not: lines 2, 4 (correct these; 2 lines have"), "{both}");
    let japanese = only_error(b"t\n\x93\xfa\x96{\x8c\xea\n");
    assert!(japanese.contains("find the file's encoding"), "{japanese}");
}

#[test]
fn utf_16_is_recognised_with_and_without_a_mark() {
    let text: String = (0..50).map(|row| format!("{row},é\n")).collect();
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(only_error(&little), "a.csv: the file is UTF-16LE (write `encoding: UTF-16LE`)");
    assert!(only_error(&big).starts_with("a.csv: the file is UTF-16BE"));
    // What a mark says is done.
    assert!(load_one([b"\xff\xfe", little.as_slice()].concat(), "{}").is_ok());
    let zeros = only_error(b"x,y\n1,2\n3,\0\n5,6\n7,\0\n");
    assert!(zeros.starts_with("a.csv:3:3: NUL byte, in lines 3, 5 ("), "{zeros}");
}

#[test]
fn files_of_other_kinds_are_called_by_their_kind() {
    let cases: [(&[u8], &str); 5] = [
        (b"PK\x03\x04\x14\0\0\0\x08\0data.csv", "a zip archive"),
        (b"PK\x03\x04\x14\0\0\0\x08\0xl/workbook.xml", "an Excel workbook"),
        (b"SQLite format 3\0\x10\0", "an SQLite database"),
        (b"<!doctype html>\n<html>", "a page of HTML"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", "an old Excel workbook"),
    ];
    for (bytes, kind) in cases {
        let found = only_error(bytes);
        assert!(found.starts_with(&format!("a.csv: the file is {kind}, not CSV (")), "{found}");
        // The same before anything runs.
        assert_eq!(header_of(bytes).unwrap_err()[0].to_string(), found);
    }
    assert!(load_one("PAR1,BZh\n1,2\n", "{}").is_ok());
}

#[test]
fn a_header_with_another_delimiter_is_told_of() {
    let found = only_error(b"a;b;c\n1;2,5;3\n4;5,5;6\n");
    assert!(
        found.starts_with("a.csv:1: the header is one column, 'a;b;c' (is the delimiter ';'? write `delimiter: ';'`"),
        "{found}"
    );
    assert!(only_error(b"a\tb\n1\t2\n").contains(r#"write `delimiter: "\t"`"#));
    assert!(errors("a,b\n1,2\n", "dialect: {delimiter: ';'}")[0].contains("is the delimiter ','?"));
    assert!(load_one("\"a;b\"\n1\n", "{}").is_ok());
    assert!(load_one("a,b;c\n1,2\n", "{}").is_ok());
}
