//! One file for each section: raw keys → checked values.

pub(super) mod digest;
pub(super) mod feed;
mod forms;
pub(super) mod lint;
pub(super) mod mail;
pub(super) mod rule;
pub(super) mod settings;
pub(super) mod terms;

/// Every section with its keys, as the loader knows them.
#[cfg(test)]
pub(super) const ALL_KEYS: [(&str, &[&str]); 9] = [
    ("[store]", &settings::STORE_KEYS),
    ("[polling]", &settings::POLLING_KEYS),
    ("[polling.limits]", &settings::LIMIT_KEYS),
    ("[[polling.host]]", &settings::HOST_KEYS),
    ("[mail]", &mail::KEYS),
    ("[[feed]]", &feed::KEYS),
    ("[terms]", &terms::KEYS),
    ("[[rule]]", &rule::KEYS),
    ("[[digest]]", &digest::KEYS),
];
