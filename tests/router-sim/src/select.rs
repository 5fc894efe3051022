//! Which items a command is for.

use crate::refusal::Refusal;

/// Arguments of a command as they came, `=name=value`.
pub type Attributes = [(String, String)];

/// An item that a command can name: by `*` and its number, or by its name.
pub trait Item {
    fn id(&self) -> u32;
    fn name(&self) -> &str;
}

pub fn is_selector(argument: &str) -> bool {
    matches!(argument, ".id" | "numbers")
}

/// The arguments that say what to change.
pub fn changes(attributes: &Attributes) -> impl Iterator<Item = (&str, &str)> {
    attributes
        .iter()
        .filter(|(argument, _)| !is_selector(argument))
        .map(|(argument, value)| (argument.as_str(), value.as_str()))
}

/// Whether the change may give an item a name that another has.
pub fn names(attributes: &Attributes) -> bool {
    changes(attributes).any(|(argument, _)| argument == "name")
}

/// Positions of the items that `.id` or `numbers` names: ids such as `*1`, or names, with commas between. Of two with
/// one name it is the first.
pub fn selected<T: Item>(items: &[T], attributes: &Attributes) -> Result<Vec<usize>, Refusal> {
    attributes
        .iter()
        .filter(|(argument, _)| is_selector(argument))
        .flat_map(|(_, value)| value.split(','))
        .filter(|item| !item.is_empty())
        .map(|item| position(items, item))
        .collect()
}

/// As `selected`, for commands that take nothing but the selection.
pub fn selected_only<T: Item>(items: &[T], attributes: &Attributes) -> Result<Vec<usize>, Refusal> {
    match changes(attributes).next() {
        Some((argument, _)) => Err(Refusal::UnknownParameter(argument.to_owned())),
        None => selected(items, attributes),
    }
}

pub fn position<T: Item>(items: &[T], wanted: &str) -> Result<usize, Refusal> {
    let id = wanted.strip_prefix('*').and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let named = |item: &T| id == Some(item.id()) || item.name() == wanted;
    items.iter().position(named).ok_or(Refusal::NoSuchItem)
}

/// Keeps what is not at these positions.
pub fn remove_at<T>(items: &mut Vec<T>, positions: &[usize]) {
    let mut at = 0;
    items.retain(|_| {
        at += 1;
        !positions.contains(&(at - 1))
    });
}

#[cfg(test)]
pub(crate) fn attributes(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(argument, value)| ((*argument).to_owned(), (*value).to_owned())).collect()
}
