//! The progress of a large project on real terminals, as a person would see it: drawn by a terminal emulator.

use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use compose::engine::Event;
use compose::names::ContainerId;
use compose::planner::{ContainerRef, NodeId, Op, Plan, PlanBuilder, Reason, Shown};
use compose::resource::ResourceId;
use compose::ui::paint::Paint;
use compose::ui::progress::{Detail, Display, Mode};
use compose::ui::stream::{Captured, Stream};

/// Containers that are made, more than fit on the screen.
const CONTAINERS: u32 = 30;

fn plan() -> Plan {
    let mut plan = PlanBuilder::new();
    for number in 0..CONTAINERS {
        // Wide letters, and a name that is longer than some terminals.
        let name = match number {
            3 => "shop-数据库-1".to_owned(),
            7 => format!("shop-{}-1", "very-long-name-".repeat(8)),
            _ => format!("shop-web-{number}"),
        };
        let target = ResourceId::Container(name.as_str().into());
        let op = Op::StartContainer { container: ContainerRef::Existing(ContainerId::new("1")) };
        plan.add(op, target.clone(), Reason::Missing, Shown::new(&target, "Creating", "Created"), &[]);
    }
    plan.finish()
}

fn size(cells: u16) -> NonZeroU16 {
    NonZeroU16::new(cells).expect("a terminal has cells")
}

/// A terminal, and a display that writes to it.
struct Terminal {
    columns: Arc<AtomicU16>,
    rows: u16,
    captured: Captured,
    read: usize,
    parser: vt100::Parser,
    display: Display,
}

impl Terminal {
    fn new(columns: u16, rows: u16) -> Self {
        let captured = Captured::default();
        let width = Arc::new(AtomicU16::new(columns));
        let asked = Arc::clone(&width);
        let stream = Stream::terminal(captured.clone(), Arc::new(move || Some((asked.load(Ordering::Relaxed), rows))));
        let mut display = Display::new(Mode::Tty, "up", stream, Paint::coloured(), Detail::default());
        display.plan(&plan());
        let parser = vt100::Parser::new(size(rows), size(columns), 1000);
        Self { columns: width, rows, captured, read: 0, parser, display }
    }

    /// Lets time go by, and the terminal read what was written. Each write leaves a whole picture.
    async fn tick(&mut self) {
        tokio::time::sleep(Display::TICK).await;
        self.display.tick();
        self.see();
    }

    fn see(&mut self) {
        let text = self.captured.text();
        let fresh = text.get(self.read..).unwrap_or_default().replace('\n', "\r\n").replace("\r\r\n", "\r\n");
        self.read = text.len();
        self.parser.process(fresh.as_bytes());
    }

    fn lines(&self) -> Vec<String> {
        let text = self.parser.screen().contents();
        text.lines().map(|line| line.trim_end().to_owned()).filter(|line| !line.is_empty()).collect()
    }

    /// Everything that scrolled away, and what is on the screen.
    fn everything(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        self.parser.screen_mut().set_scrollback(usize::MAX);
        let most = self.parser.screen().scrollback();
        for offset in (1..=most).rev() {
            self.parser.screen_mut().set_scrollback(offset);
            all.extend(self.parser.screen().contents().lines().next().map(|line| line.trim_end().to_owned()));
        }
        self.parser.screen_mut().set_scrollback(0);
        all.extend(self.lines());
        all
    }
}

#[tokio::test(start_paused = true)]
async fn rows_never_exceed_the_terminal_and_finished_ones_scroll_away() {
    for (columns, rows) in [(80, 24), (40, 10), (120, 50), (30, 6), (20, 5)] {
        let mut terminal = Terminal::new(columns, rows);
        for number in 0..CONTAINERS {
            terminal.display.event(&Event::Started { node: NodeId(number) });
        }
        for number in 0..CONTAINERS {
            terminal.tick().await;
            let lines = terminal.lines();
            let headers = lines.iter().filter(|line| line.starts_with("[+] up")).count();
            assert_eq!(headers, 1, "{columns}x{rows}, {number} done: one picture at a time\n{}", lines.join("\n"));
            assert!(lines.len() <= usize::from(terminal.rows), "{columns}x{rows}");
            assert!(
                !(0..terminal.rows).any(|row| terminal.parser.screen().row_wrapped(row)),
                "{columns}x{rows}: a line is longer than the terminal\n{}",
                lines.join("\n")
            );
            terminal.display.event(&Event::Finished { node: NodeId(number), warning: None });
        }
        terminal.display.finish();
        terminal.see();
        let all = terminal.everything();
        let done = all.iter().filter(|line| line.contains('✔')).count();
        assert_eq!(
            done,
            CONTAINERS as usize,
            "{columns}x{rows}: every row is there once at the end\n{}",
            all.join("\n")
        );
        let header = all.iter().rfind(|line| line.starts_with("[+] up")).map(String::as_str);
        assert_eq!(header, Some("[+] up 30/30"), "{columns}x{rows}");
        assert!(!terminal.parser.screen().hide_cursor(), "the cursor is back");
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_that_gets_narrower_and_other_output_leave_no_rubbish() {
    let mut terminal = Terminal::new(100, 20);
    for number in 0..5 {
        terminal.display.event(&Event::Started { node: NodeId(number) });
    }
    terminal.tick().await;
    let captured = terminal.captured.clone();
    terminal.display.print(&mut || Stream::new(captured.clone()).line("warning: look at this"));
    terminal.tick().await;
    let lines = terminal.lines();
    assert_eq!(lines.first().map(String::as_str), Some("warning: look at this"), "{}", lines.join("\n"));
    assert_eq!(lines.len(), 1 + 1 + 5, "the warning, the header and the rows\n{}", lines.join("\n"));
    terminal.columns.store(50, Ordering::Relaxed);
    terminal.parser.screen_mut().set_size(size(20), size(50));
    terminal.tick().await;
    for row in terminal.lines().iter().rev().take(5) {
        assert!(row.contains("Creating"), "{row}");
    }
}
