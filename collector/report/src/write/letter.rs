//! *Surat* to a provider: what is asked for, why, and where it decides.

use super::{Page, Writer, t};
use crate::{
    document::{Document, Kind, Labelled},
    model::{CaseKind, ProviderRequest},
};

pub(super) fn write(model: &ProviderRequest, writer: &Writer<'_>) -> Document {
    let figures = &writer.figures;
    let direction = writer.direction(&model.direction);
    let subject = match model.kind {
        CaseKind::Bod => t!(writer, "letter-subject-bod", uplink = model.uplink),
        _ => t!(writer, "letter-subject", uplink = model.uplink),
    };
    let mut page = Page::default();
    page.say(t!(writer, "letter-greeting"));
    let sites = if model.sites.is_empty() { model.uplink.clone() } else { model.sites.join(", ") };
    page.say(match model.kind {
        CaseKind::Bod => t!(writer, "letter-body-bod", uplink = model.uplink, direction = direction, sites = sites),
        _ => t!(writer, "letter-body", uplink = model.uplink, direction = direction, sites = sites),
    });
    let mut facts = vec![
        (t!(writer, "letter-uplink"), model.uplink.clone()),
        (t!(writer, "letter-direction"), direction),
        (t!(writer, "letter-now"), figures.rate(model.capacity_bps)),
        (t!(writer, "letter-wanted"), figures.rate(model.wanted_bps)),
        (t!(writer, "letter-more"), figures.change(model.capacity_bps, model.wanted_bps)),
    ];
    facts.extend(model.contract.as_ref().map(|number| (t!(writer, "letter-contract"), number.clone())));
    facts.extend(model.from.map(|at| (t!(writer, "letter-from"), figures.moment(at))));
    facts.extend(model.until.map(|at| (t!(writer, "letter-until"), figures.moment(at))));
    facts.extend(model.price_idr.map(|price| {
        let price = figures.rupiah(price);
        (t!(writer, "letter-price"), t!(writer, "a-month", price = price))
    }));
    page.facts(facts);
    match (&model.link, model.link_expires_at) {
        (Some(link), Some(expires)) => {
            let expires = figures.moment(expires);
            page.say(t!(writer, "letter-link", expires = expires));
            page.say(link.clone());
        }
        _ => page.say(t!(writer, "letter-answer")),
    }
    page.say(t!(writer, "letter-closing"));
    let footer = t!(writer, "letter-footer", number = model.number, case = model.case.to_string());
    let mut document = writer.document(Kind::Letter, &model.number, footer);
    let reference = [
        (t!(writer, "reference-number"), model.number.clone()),
        (t!(writer, "reference-attachments"), "–".to_owned()),
        (t!(writer, "reference-subject"), subject),
    ];
    document.reference = reference.into_iter().map(|(label, text)| Labelled { label, text }).collect();
    document.dateline = Some(writer.place_date(model.made_at));
    // Whoever reads it: a person who is named, or whoever leads the provider.
    let mut addressee = match &model.contact {
        Some(contact) => vec![t!(writer, "addressee-contact", name = contact), model.provider_title.clone()],
        None => vec![t!(writer, "addressee", provider = model.provider_title)],
    };
    addressee.extend(model.provider_address.clone());
    document.addressee = addressee;
    document.blocks = page.into_blocks();
    document.signatures = vec![writer.signature(&writer.office.head, None)];
    document.copies = writer.office.copies.clone();
    document
}
