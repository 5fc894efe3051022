//! A probe for people: who it is, a line an interface, a line a queue, and what is odd.

use std::fmt::Write as _;

use super::Report;
use crate::{
    queue::routeros::survey::PrintedQueue,
    snmp::survey::{Interface, MibQueue},
};

pub(super) fn text(report: &Report) -> String {
    let mut out = String::new();
    let identity = &report.identity;
    let at = report.target.iter().chain(&report.api).map(String::as_str).collect::<Vec<_>>().join(", ");
    line(
        &mut out,
        &format!("{}  ({at})", identity.sys_name.as_deref().unwrap_or("a device without a name").escape_debug()),
    );
    for told in [&identity.sys_descr, &identity.sys_object_id, &identity.sys_location].into_iter().flatten() {
        line(&mut out, &told.escape_debug().to_string());
    }
    if let Some(router) = &report.router {
        let told = [&router.name, &router.board, &router.version].into_iter().flatten().map(String::as_str);
        line(&mut out, &format!("RouterOS: {}", told.collect::<Vec<_>>().join(", ").escape_debug()));
    }
    if !report.interfaces.is_empty() {
        let head = ["ifIndex", "name", "alias", "admin", "oper", "speed", "octets in", "octets out"].map(str::to_owned);
        table(&mut out, std::iter::once(head).chain(report.interfaces.iter().map(interface)).collect());
    }
    if !report.queues.is_empty() {
        let head = ["queue", "name", "direction", "cir", "mir", "target", "hindered"].map(str::to_owned);
        table(&mut out, std::iter::once(head).chain(report.queues.iter().map(queue)).collect());
    }
    if !report.mib_queues.is_empty() {
        let head = ["queue (SNMP)", "name", "bytes up", "bytes down", "bytes"].map(str::to_owned);
        table(&mut out, std::iter::once(head).chain(report.mib_queues.iter().map(mib_queue)).collect());
    }
    for oddity in &report.oddities {
        line(&mut out, &format!("odd: {oddity}"));
    }
    out
}

fn interface(interface: &Interface) -> [String; 8] {
    [
        interface.if_index.to_string(),
        plain(interface.name.as_deref()),
        plain(interface.if_alias.as_deref()),
        plain(interface.admin_status),
        plain(interface.oper_status),
        number(interface.high_speed_bps.or(interface.speed_bps)),
        number(interface.hc_in_octets.or(interface.in_octets)),
        number(interface.hc_out_octets.or(interface.out_octets)),
    ]
}

fn queue(queue: &PrintedQueue) -> [String; 7] {
    let hindrances: Vec<String> = queue.hindrances.iter().map(ToString::to_string).collect();
    [
        queue.kind.to_owned(),
        plain(Some(&queue.name)),
        queue.direction.map_or("-".into(), |direction| direction.to_string()),
        queue.cir_bps.to_string(),
        queue.mir_bps.to_string(),
        plain(queue.target.as_deref().or(queue.parent.as_deref())),
        if hindrances.is_empty() { "-".into() } else { hindrances.join("; ") },
    ]
}

fn mib_queue(queue: &MibQueue) -> [String; 5] {
    [
        queue.kind.to_owned(),
        plain(Some(&queue.name)),
        number(queue.up_bytes),
        number(queue.down_bytes),
        number(queue.bytes),
    ]
}

/// On one line, whatever the device calls it.
fn plain(text: Option<&str>) -> String {
    text.map_or("-".into(), |text| text.escape_debug().to_string())
}

fn number(number: Option<u64>) -> String {
    number.map_or("-".into(), |number| number.to_string())
}

fn table<const COLUMNS: usize>(out: &mut String, rows: Vec<[String; COLUMNS]>) {
    line(out, "");
    let mut widths = [0; COLUMNS];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in &rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        line(out, cells.join("  ").trim_end());
    }
}

fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}
