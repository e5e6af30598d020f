//! A document that asks much of whoever draws it: every script, long names, every kind of block.

use tidegauge::document::{Align, Block, Cell, Chart, ChartPoint, Column, Document, Figure, Section, Table};

/// A name in each script, as people write them.
pub const NAMES: [(&str, &str); 12] = [
    ("Latin", "Žluťoučký kůň příšerně úpěl — Łódź Straße Ærøskøbing"),
    ("Decomposed", "Cafe\u{301} Zu\u{308}rich A\u{30a}ngstro\u{308}m"),
    ("Cyrillic", "Съешь ещё этих мягких французских булок"),
    ("Greek", "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία"),
    ("Arabic", "شركة النسخ الاحتياطي للبيانات"),
    ("Persian", "شرکت پشتیبان‌گیری داده‌ها"),
    ("Hebrew", "שרת גיבוי של החברה"),
    ("Pointed", "שָׁלוֹם עֲלֵיכֶם"),
    ("Japanese", "経理部サーバー東京"),
    ("Chinese", "备份服务器财务部"),
    ("Korean", "백업 서버 재무팀"),
    ("Mixed", "VM-12 خادم البيانات (Test 2026) srv"),
];

fn column(name: &'static str, heading: &'static str, align: Align, width: u16) -> Column {
    Column { name, heading, align, width }
}

fn table(rows: usize) -> Table {
    let row = |n: usize| {
        let (script, name) = NAMES[n % NAMES.len()];
        let long = if n % 7 == 3 { format!("{name} / {name} / {name}") } else { name.to_owned() };
        let job = if n % 11 == 5 { "x".repeat(300) } else { format!("Daily {script}") };
        vec![Cell::Text(long), Cell::Text(script.to_owned()), Cell::Text(job), Cell::Number(format!("{}.5", n * 7))]
    };
    Table {
        name: "workloads",
        columns: vec![
            column("name", "Name", Align::Left, 4),
            column("type", "Type", Align::Left, 2),
            column("job", "Job of the backup server", Align::Left, 3),
            column("points", "Points", Align::Right, 1),
        ],
        rows: (0..rows).map(row).collect(),
        totals: [[Cell::Text("Total"), Cell::Empty, Cell::Empty, Cell::Number("1234567.5")]].into_iter().collect(),
    }
}

fn figures() -> Block {
    let figure = |name: &str, value: &str, remark: &str| Figure {
        name: name.to_owned(),
        value: value.to_owned(),
        remark: remark.to_owned(),
    };
    Block::Figures(vec![
        figure("Points", "128.5", "rounded up: 129"),
        figure("Against last month", "+12.25", "7 added, 2 removed; explained to the last point"),
        figure("Gate", "open", "report and watermark agree within the tolerance"),
        figure("Days left", "10", "sent on 11 November by itself"),
        figure("Coverage", "96.77 %", "720 of 744 samples"),
        figure("שרת", "1,234,567,890,123.5", "خادم البيانات"),
    ])
}

fn chart() -> Block {
    let point =
        |n: u32| ChartPoint { label: n.to_string(), mark: (n % 9 != 4).then(|| (100 + n * 3).into()), reported: None };
    Block::Chart(Chart {
        title: "Daily high watermark".to_owned(),
        mark_name: "Daily high watermark".to_owned(),
        reported_name: "Reported".to_owned(),
        points: (1..=31).map(point).collect(),
        level: Some(150.into()),
    })
}

/// The document; `rows` long.
pub fn hard_document(rows: usize) -> Document {
    let facts = NAMES.map(|(script, name)| (script.to_owned(), name.to_owned()));
    let section = |heading: &str, blocks: Vec<Block>| Section { heading: heading.to_owned(), blocks };
    Document {
        title: "Usage of Čapek & Söhne, שרת גיבוי, and everybody else, October 2026, with a title that wraps"
            .to_owned(),
        subtitle: "License 4b7c1f0e-93a2-4a7d-8f65-1d2e3c4b5a69 · Example Provider s.r.o. · شركة النسخ".to_owned(),
        language: "en".to_owned(),
        digest: "sha256:9f2c4a7be1d05f6378a4c2e1b09d8f7766554433221100ffeeddccbbaa998877".to_owned(),
        generated_at: "2026-11-01T02:10:00Z".to_owned(),
        sections: vec![
            section("", vec![figures(), Block::Warning(format!("Not collected: {}", NAMES[4].1)), chart()]),
            section(
                "Names",
                vec![Block::Facts(facts.to_vec()), Block::Paragraph(NAMES.map(|(_, name)| name).join(", "))],
            ),
            section("Workloads of 財務部", vec![Block::Table(table(rows))]),
            section("After the table", vec![Block::Paragraph("The end.".to_owned())]),
        ],
        ..Document::default()
    }
}
