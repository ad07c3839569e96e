use super::super::date_format::Format;
use super::{Date, Order, read, year};

#[test]
fn years_are_read_in_all_usual_forms() {
    let dates = [
        "1990",
        "1990-03",
        "1990-03-05",
        "1990/03/05",
        "1990.3.5",
        "19900305",
        "1990-03-05T10:00:00Z",
        "1990-03-05 10:00:00.123+02:00",
        "1990-03-05 23:59",
        "05/03/1990",
        "3/25/1990",
        "25/3/1990",
        "25.03.1990",
        "25. 3. 1990",
        "03/1990",
        "5 Mar 1990",
        "5-Mar-1990",
        "Mar 1990",
        "March 5, 1990",
        "Sept. 5, 1990",
        "1st March 1990",
        "Mon, 05 Mar 1990 10:00:00 +0000",
        "Mon Mar 5 10:00:00 GMT 1990",
        "3/5/1990 10:00 PM",
        "1er février 1990",
        "14 août 1990",
        " 1990-00-00 ",
        "1990.0",
        "1990-03-05+02:00",
        "1990-03-05-05:00",
        "1990-03-05Z",
        "1990-03-05 10:00:00 +02:00",
        "1990-03-05 24:00",
        "1990-03-05T23:59:60Z",
        "1990-03-05T10:00+05:30",
        "00/03/1990",
        "1990-03-00",
    ];
    for date in dates {
        assert_eq!(year(date), Some(1990), "{date}");
    }
}

#[test]
fn what_is_no_date_or_ambiguous_has_no_year() {
    let texts = [
        "",
        "soon",
        "20015-01-01",
        "0000-00-00",
        "0001-01-01",
        "2021-02-30",
        "31/04/2021",
        "Sep 31, 2021",
        "01/03/90",
        "5 Mar 90",
        "90",
        "1990-13",
        "1990-02-32",
        "13/13/1990",
        "1990 and 1991",
        "1990-1991",
        "5 Mai 5 Mar 1990",
        "-1990",
        "+1990",
        "12:30",
        "1632528000",
        "19901399",
        "1990-03-05-01",
        "Room 1990",
        "1990s",
        "T:",
        "ma 1990",
        "é1990",
        "1990-13-01",
        "1990-00-10",
        "1990/25/03",
        "19900010",
        "10/00/90",
        "1990-03-05+2:00",
        "1990-03-32Z",
        "soonZ",
        "1990-03-05 99:99",
        "1990-03-05T10:60",
        "1990-03-05 10:00:61",
    ];
    for text in texts {
        assert_eq!(year(text), None, "{text}");
    }
}

// for t in ["05/03/1990", "25/03/1990", "3/25/1990", "1990-03-05", "March 5, 1990", "Mon, 05 Mar 1990 10:00:00 +0000"]:
//     print(pandas.to_datetime(t), pandas.to_datetime(t, dayfirst=True))
#[test]
fn days_months_and_hours_are_read_where_they_are_known() {
    let date =
        |month, day, hour, order| Some(Date { year: Some(1990), month: Some(month), day: Some(day), hour, order });
    let cases = [
        ("1990-03-05", None, date(3, 5, None, Order::Plain)),
        ("19900305", None, date(3, 5, None, Order::Plain)),
        ("March 5, 1990", None, date(3, 5, None, Order::Plain)),
        ("Mon, 05 Mar 1990 10:00:00 +0000", None, date(3, 5, Some(10), Order::Plain)),
        ("25/03/1990", None, date(3, 25, None, Order::DayFirst)),
        ("3/25/1990", None, date(3, 25, None, Order::MonthFirst)),
        ("05/05/1990", None, date(5, 5, None, Order::Plain)),
        ("05/03/1990", Some(true), date(3, 5, None, Order::DayFirst)),
        ("05/03/1990", Some(false), date(5, 3, None, Order::MonthFirst)),
        ("3/25/1990", Some(true), None),
        ("1990-03-05", Some(true), date(3, 5, None, Order::Plain)),
        ("1990-03-05 23:59", None, date(3, 5, Some(23), Order::Plain)),
        ("1990-03-05 24:00", None, date(3, 5, Some(0), Order::Plain)),
        ("3/25/1990 10:00 PM", None, date(3, 25, Some(22), Order::MonthFirst)),
        ("3/25/1990 12:30am", None, date(3, 25, Some(0), Order::MonthFirst)),
        ("1990-03-05T10:00:00+02:00", None, date(3, 5, Some(10), Order::Plain)),
    ];
    for (text, day_first, expected) in cases {
        assert_eq!(read(text, day_first), expected, "{text}");
    }
    let either = read("05/03/1990 8:15", None).unwrap();
    assert_eq!((either.year, either.month, either.hour, either.order), (Some(1990), None, Some(8), Order::Either));
    let month = read("Mar 1990", None).unwrap();
    assert_eq!((month.month, month.day, month.calendar()), (Some(3), None, None));
    assert_eq!(read("22:15:00", None).unwrap().hour, Some(22));
    assert_eq!(read("25:15", None), None);
}

// datetime.strptime("05/03/68", "%d/%m/%y") and so on; datetime.fromtimestamp(1632528000, timezone.utc)
#[test]
fn a_given_format_is_read_alone() {
    let parts = |format: &str, text: &str| {
        let date = Format::new(format).unwrap().read(text)?;
        Some((date.year, date.month, date.day, date.hour))
    };
    assert_eq!(parts("%d/%m/%y", "05/03/68"), Some((Some(2068), Some(3), Some(5), None)));
    assert_eq!(parts("%d/%m/%y", "5/3/99"), Some((Some(1999), Some(3), Some(5), None)));
    assert_eq!(parts("%m/%d/%Y %I:%M %p", "05/03/2021 01:30 PM"), Some((Some(2021), Some(5), Some(3), Some(13))));
    assert_eq!(parts("%d %b %Y", "5 Mar 2021"), Some((Some(2021), Some(3), Some(5), None)));
    assert_eq!(parts("%m.%Y", "03.2021"), Some((Some(2021), Some(3), None, None)));
    assert_eq!(parts("%Y", "2021"), Some((Some(2021), None, None, None)));
    assert_eq!(parts("%d.%m.", "25.10."), Some((None, Some(10), Some(25), None)));
    assert_eq!(parts("%H%M", "0930"), Some((None, None, None, Some(9))));
    assert_eq!(parts("%H", "23"), Some((None, None, None, Some(23))));
    assert_eq!(parts("%s", "1632528000"), Some((Some(2021), Some(9), Some(25), Some(0))));
    assert_eq!(parts("%Y%j", "2021268"), Some((Some(2021), Some(9), Some(25), None)));
    for (format, text) in [("%d/%m/%y", "31/02/99"), ("%d/%m/%y", "05/03/1999"), ("%Y-%m-%d", "0001-01-01"), ("%Y", "")]
    {
        assert_eq!(parts(format, text), None, "{text}");
    }
    assert!(Format::new("%Q").is_err() && Format::new("dd/mm").is_err());
    assert_eq!(Format::new("%H:%M").unwrap().says().year, None);
}
