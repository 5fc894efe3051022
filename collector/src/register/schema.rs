//! The columns of each table, as CSV and XLSX have them: the keys of the TOML, those of inner tables flattened
//! (`down.mir_bps`). Templates explain them in Indonesian and English with the words here.

use Kind::{Count, Date, Name, Rate, Rupiah, Text, Time};

#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [Column],
}

#[derive(Debug)]
pub struct Column {
    pub key: &'static str,
    pub kind: Kind,
    /// Without it the row is none.
    pub needed: bool,
    pub indonesian: &'static str,
    pub english: &'static str,
    /// Of a row that is right as a whole; empty where another column is used in its place.
    pub example: &'static str,
}

/// What a cell of the column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Names and other short words, where blanks around them mean nothing.
    Name,
    Text,
    Rate,
    Count,
    Rupiah,
    Date,
    Time,
}

impl Kind {
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Name => ("kata", "a word"),
            Text => ("teks", "text"),
            Rate => ("bit/s: 10000000, 10M, 2,5M", "bit/s: 10000000, 10M, 2.5M"),
            Count => ("bilangan", "a number"),
            Rupiah => ("rupiah utuh: 18500000", "whole rupiah: 18500000"),
            Date => ("tanggal: 2026-01-31", "a date: 2026-01-31"),
            Time => ("jam: 07:00", "a time: 07:00"),
        }
    }
}

impl Table {
    pub fn named(name: &str) -> Option<&'static Self> {
        TABLES.iter().find(|table| table.name.eq_ignore_ascii_case(name))
    }
}

const fn must(
    key: &'static str,
    kind: Kind,
    indonesian: &'static str,
    english: &'static str,
    example: &'static str,
) -> Column {
    Column { key, kind, needed: true, indonesian, english, example }
}

const fn may(
    key: &'static str,
    kind: Kind,
    indonesian: &'static str,
    english: &'static str,
    example: &'static str,
) -> Column {
    Column { key, kind, needed: false, indonesian, english, example }
}

/// In the order of [`super::toml::TABLES`].
pub static TABLES: [Table; 8] = [
    Table { name: "provider", columns: &PROVIDER },
    Table { name: "uplink", columns: &UPLINK },
    Table { name: "site", columns: &SITE },
    Table { name: "link", columns: &LINK },
    Table { name: "contract", columns: &CONTRACT },
    Table { name: "profile", columns: &PROFILE },
    Table { name: "need", columns: &NEED },
    Table { name: "holiday", columns: &HOLIDAY },
];

static PROVIDER: [Column; 6] = [
    must("name", Name, "nama singkat penyedia jasa", "the provider's short name", "lintasarta"),
    must("title", Text, "nama lengkap", "full name", "Lintasarta"),
    may("address", Text, "alamat", "postal address", "Jl. M.H. Thamrin No. 12, Jakarta"),
    may("contact", Text, "narahubung", "whom to ask for", "NOC, (021) 555-0100"),
    may("email", Name, "alamat surel", "address for mail", "noc@isp.example"),
    may("webhook", Name, "URL https untuk permintaan", "https URL that requests are posted to", ""),
];

static UPLINK: [Column; 5] = [
    must("name", Name, "nama uplink", "the uplink's name", "ast-01"),
    must("provider", Name, "nama penyedia", "name of a provider", "lintasarta"),
    must("down_bps", Rate, "kapasitas unduh", "capacity towards the sites", "100M"),
    must("up_bps", Rate, "kapasitas unggah", "capacity away from them", "50M"),
    may("contention_per_mille", Count, "jumlah batas atas per kapasitas, perseribu", "sum of ceilings, per mille", ""),
];

static SITE: [Column; 6] = [
    must("name", Name, "nama singkat satuan kerja", "the site's short name", "sd-02"),
    must("title", Text, "nama lengkap", "full name", "SD Negeri 02"),
    may("users", Count, "jumlah pengguna", "number of users", "120"),
    may("profile", Name, "nama profil pengguna", "name of a profile", "sekolah"),
    may("zone", Name, "zona waktu: WIB, WITA, WIT", "time zone: WIB, WITA, WIT", "WIB"),
    may("head", Text, "kepala satuan kerja", "who answers for it", "Ibu Ratna"),
];

static LINK: [Column; 26] = [
    must("name", Name, "nama tautan", "the link's name", "sd-02"),
    may("title", Text, "nama lengkap", "full name", "SD Negeri 02, utama"),
    must("site", Name, "nama satuan kerja", "name of a site", "sd-02"),
    must("uplink", Name, "nama uplink", "name of an uplink", "ast-01"),
    must("device", Name, "nama perangkat pada agen", "the device, as its agent names it", "core-1"),
    may("interface", Text, "antarmuka yang dihitung", "interface that is counted", "ether2"),
    may("weight", Count, "bobot 1-1000 (baku 10)", "1 to 1000, 10 unless given", "10"),
    may("valid_from", Date, "alokasi berlaku sejak", "first day of the allocation", "2026-01-01"),
    may("valid_to", Date, "alokasi berlaku sampai", "last day of the allocation", "2026-12-31"),
    may("mode", Name, "observe, propose, live; kosong: tetap", "observe, propose, live; blank: as it is", "live"),
    may("down.queue", Text, "antrean RouterOS, unduh", "RouterOS queue, down", "sd-02"),
    may("down.class", Name, "kelas HTB, mis. 1:10", "HTB class, such as 1:10", ""),
    may("down.interface", Text, "antarmuka kelas itu", "interface of that class", ""),
    may("down.root", Text, "antarmuka CAKE", "interface that CAKE shapes", ""),
    may("down.cir_bps", Rate, "jaminan (CIR)", "guarantee (CIR)", "2M"),
    must("down.mir_bps", Rate, "batas atas (MIR) kini", "ceiling (MIR) in force", "10M"),
    may("down.floor_bps", Rate, "MIR terendah", "least MIR (unless given the CIR)", "2M"),
    may("down.ceiling_bps", Rate, "MIR tertinggi", "most MIR (unless given the capacity)", "50M"),
    may("up.queue", Text, "antrean RouterOS, unggah", "RouterOS queue, up", "sd-02"),
    may("up.class", Name, "kelas HTB, mis. 1:10", "HTB class, such as 1:10", ""),
    may("up.interface", Text, "antarmuka kelas itu", "interface of that class", ""),
    may("up.root", Text, "antarmuka CAKE", "interface that CAKE shapes", ""),
    may("up.cir_bps", Rate, "jaminan (CIR)", "guarantee (CIR)", "1M"),
    must("up.mir_bps", Rate, "batas atas (MIR) kini", "ceiling (MIR) in force", "5M"),
    may("up.floor_bps", Rate, "MIR terendah", "least MIR (unless given the CIR)", "1M"),
    may("up.ceiling_bps", Rate, "MIR tertinggi", "most MIR (unless given the capacity)", "20M"),
];

static CONTRACT: [Column; 13] = [
    must("name", Name, "nama singkat kontrak", "the contract's short name", "ast-2026"),
    must("provider", Name, "nama penyedia", "name of a provider", "lintasarta"),
    must("uplink", Name, "nama uplink", "name of an uplink", "ast-01"),
    must("number", Text, "nomor kontrak", "number on the paper", "027/SPK/2026"),
    must("down_bps", Rate, "bandwidth unduh", "contracted, down", "100M"),
    must("up_bps", Rate, "bandwidth unggah", "contracted, up", "50M"),
    may("international_down_bps", Rate, "internasional, unduh, bila berbeda", "abroad, where less", "40M"),
    may("international_up_bps", Rate, "internasional, unggah, bila berbeda", "abroad, where less", "20M"),
    must("price_idr", Rupiah, "harga per bulan", "price a month", "18500000"),
    may("price_per_mbps_idr", Rupiah, "harga tambahan per Mbit/s per bulan", "of another Mbit/s, a month", "150000"),
    must("begins", Date, "hari pertama", "first day", "2026-01-01"),
    must("ends", Date, "hari terakhir", "last day", "2026-12-31"),
    may("contact", Text, "narahubung", "whom to ask for", "Bapak Wahyu"),
];

static PROFILE: [Column; 4] = [
    must("name", Name, "nama profil", "the profile's name", "sekolah"),
    must("down_bps", Rate, "unduh per pengguna", "down, a user", "1M"),
    must("up_bps", Rate, "unggah per pengguna", "up, a user", "256k"),
    may("concurrent_per_mille", Count, "pengguna serentak, perseribu", "active at once, of 1000", "300"),
];

static NEED: [Column; 14] = [
    must("name", Name, "nama kebutuhan", "the need's name", "ujian"),
    must("site", Name, "nama satuan kerja", "name of a site", "sd-02"),
    may("link", Name, "tautan; kosong: semua", "one link; blank: all share it", "sd-02"),
    may("down_bps", Rate, "unduh, atau pakai users", "down, or else users", ""),
    may("up_bps", Rate, "unggah, atau pakai users", "up, or else users", ""),
    may("users", Count, "jumlah pengguna, dengan profile", "number of users, with profile", "60"),
    may("profile", Name, "nama profil", "name of a profile", "sekolah"),
    may("begins", Date, "hari pertama", "first day", "2026-12-07"),
    may("ends", Date, "hari terakhir", "last day", "2026-12-18"),
    may("weekdays", Name, "hari: sen-jum, atau mon-fri", "days: mon-fri, or sen-jum", "sen-jum"),
    may("from", Time, "dari jam", "from", "07:00"),
    may("to", Time, "sampai jam", "to", "12:00"),
    may("asked_by", Text, "diminta oleh", "who asked", "Kepala SD Negeri 02"),
    may("letter", Text, "nomor surat", "number of the letter", "421/112/SD02/2026"),
];

static HOLIDAY: [Column; 2] = [
    must("date", Date, "tanggal", "the day", "2026-12-25"),
    must("title", Text, "hari libur", "what day it is", "Hari Raya Natal"),
];
