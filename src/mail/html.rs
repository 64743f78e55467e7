//! The HTML part: our own tags, http(s) and mailto links, no images, nothing remote, escaped by askama.
//!
//! The templates are in this file because the ones beside the package's manifest would be far from what fills them.

use super::view::{Footer, ItemView, Link, View};
use askama::Template;

/// Bytes of the HTML part. A large provider clips a mail at 102 kB, and hides the footer then.
const HTML_BYTES: usize = 90_000;
/// Bytes of the items that are shown in full when not all can be.
const FULL_BYTES: usize = 60_000;
/// Bytes that are left for the tail (counts of what is left out).
const RESERVE_BYTES: usize = 1_000;

/// How much of an item is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Everything.
    Full,
    /// The headline.
    Compact,
    /// Nothing: it is counted.
    Omitted,
}

/// The form of each item, by group.
pub(super) struct Plan {
    pub(super) forms: Vec<Vec<Form>>,
    /// Hits that are counted only.
    pub(super) omitted: usize,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<div style="margin:0 0 18px">
<h3 dir="auto" style="margin:0 0 2px;font-size:17px;line-height:1.35;font-weight:600">
{%- match item.link -%}
{%- when Link::Web { href, host: _ } -%}<a href="{{ href }}" style="color:inherit;text-decoration:underline">{% call headline() %}{% endcall %}</a>
{%- when _ -%}{% call headline() %}{% endcall %}
{%- endmatch -%}
</h3>
{% match item.above %}
{%- when Some with (rule) -%}
<p class="dim" style="margin:0;font-size:13px;color:#57606a">also above, under <bdi>{{ rule }}</bdi>{% if item.in_retrospect %} · found in retrospect{% endif %}{% if !item.terms.is_empty() %} · matched: <bdi>{{ item.terms }}</bdi>{% endif %}</p>
{%- when None -%}
<p class="dim" style="margin:0 0 4px;font-size:13px;color:#57606a"><bdi>{{ item.outlet }}</bdi> · {{ item.time }}
{%- match item.link -%}
{%- when Link::Web { href: _, host } %} · <bdi>{{ host }}</bdi>
{%- when Link::Text with (text) %} · link: <bdi>{{ text }}</bdi>
{%- when Link::Missing %} · no link
{%- endmatch -%}
{%- if item.told_before %} · reported before{% endif -%}
{%- if item.in_retrospect %} · <strong>found in retrospect</strong>{% endif -%}
</p>
{% if !item.excerpt.is_empty() -%}
<p dir="auto" style="margin:0 0 4px;font-size:15px;line-height:1.5">
{%- for piece in item.excerpt -%}
{%- if piece.marked -%}<mark style="background:#fff3b0;color:#1f2328">{{ piece.text }}</mark>{%- else -%}{{ piece.text }}{%- endif -%}
{%- endfor -%}
</p>
{% endif -%}
{%- if !item.others.is_empty() -%}
<p class="dim" style="margin:0 0 2px;font-size:13px;color:#57606a">also in:{% for other in item.others %} <bdi>
{%- match other.link -%}
{%- when Link::Web { href, host: _ } -%}<a href="{{ href }}" style="color:inherit">{{ other.outlet }}</a>
{%- when _ -%}{{ other.outlet }}
{%- endmatch -%}
</bdi>{% if let Some(title) = other.title %} (“<bdi>{{ title }}</bdi>”){% endif %}{% if !loop.last %},{% endif %}{% endfor %}
{%- if item.others_more > 0 %} and {{ item.others_more }} more{% endif -%}
</p>
{% endif -%}
{%- if !item.terms.is_empty() -%}
<p class="dim" style="margin:0;font-size:13px;color:#57606a">matched: <bdi>{{ item.terms }}</bdi></p>
{%- endif -%}
{%- endmatch %}
</div>
{% macro headline() -%}
{%- for piece in item.title -%}
{%- if piece.marked -%}<mark style="background:#fff3b0;color:#1f2328">{{ piece.text }}</mark>{%- else -%}{{ piece.text }}{%- endif -%}
{%- endfor -%}
{%- endmacro -%}
"#
)]
struct FullItem<'a> {
    item: &'a ItemView,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<p dir="auto" style="margin:0 0 6px;font-size:15px;line-height:1.4">
{%- match item.link -%}
{%- when Link::Web { href, host: _ } -%}<a href="{{ href }}" style="color:inherit;text-decoration:underline">{{ title }}</a>
{%- when _ -%}{{ title }}
{%- endmatch %} <span class="dim" style="font-size:13px;color:#57606a">· <bdi>{{ outlets }}</bdi>{% if item.in_retrospect %} · found in retrospect{% endif %}</span></p>
"#
)]
struct CompactItem<'a> {
    item: &'a ItemView,
    title: String,
    outlets: String,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{ subject }}</title>
<style>
:root{color-scheme:light dark}
@media (prefers-color-scheme:dark){
body,.page{background:#16191d!important;color:#e6e8eb!important}
.dim{color:#a3abb5!important}
.rule{border-color:#3a414a!important}
mark{background:#6b5a12!important;color:#fff!important}
}
@media (max-width:480px){.page{padding:14px!important}}
</style>
</head>
<body style="margin:0;padding:0;background:#ffffff;color:#1f2328">
<div class="page" style="max-width:640px;margin:0 auto;padding:20px;background:#ffffff;color:#1f2328;font-family:system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;overflow-wrap:anywhere;word-break:break-word">
<h1 style="margin:0 0 2px;font-size:20px;line-height:1.3"><bdi>{{ digest }}</bdi></h1>
<p class="dim" style="margin:0 0 18px;font-size:14px;color:#57606a">{{ summary }}</p>
{% for section in sections %}<h2 class="rule" style="margin:24px 0 12px;padding:0 0 4px;font-size:14px;font-weight:700;border-bottom:1px solid #d0d7de"><bdi>{{ section.rule }}</bdi> ({{ section.count }})</h2>
{{ section.items|safe }}{% endfor -%}
{%- if omitted > 0 %}<p style="margin:12px 0;font-size:15px"><strong>{{ omitted }} more:</strong> <code>{{ footer.command }}</code></p>
{% endif -%}
<div class="rule dim" style="margin:28px 0 0;padding:12px 0 0;border-top:1px solid #d0d7de;font-size:13px;line-height:1.5;color:#57606a">
<p style="margin:0 0 6px">{{ footer.window }}{% for line in footer.coverage %} {{ line }}{% endfor %}</p>
{% if !footer.failing.is_empty() %}<ul style="margin:0 0 6px;padding:0 0 0 18px">
{% for line in footer.failing %}<li>{{ line }}</li>
{% endfor %}</ul>
{% endif -%}
<p style="margin:0">{{ footer.why }} {{ footer.stop }} <a href="{{ footer.contact_url }}" style="color:inherit">{{ footer.contact }}</a>, or remove the address from the digest’s <code>to</code>.</p>
</div>
</div>
</body>
</html>
"##
)]
struct Page<'a> {
    subject: &'a str,
    digest: &'a str,
    summary: &'a str,
    sections: Vec<Section<'a>>,
    omitted: usize,
    footer: &'a Footer,
}

/// A group whose items are HTML already, made by the escaped templates above.
struct Section<'a> {
    rule: &'a str,
    count: &'a str,
    items: String,
}

/// Renders the HTML part and says which items it shows how, so that the text part can show the same.
pub(super) fn html(view: &View) -> (String, Plan) {
    let full: Vec<Vec<String>> =
        view.groups.iter().map(|group| group.items.iter().map(|item| rendered(&FullItem { item })).collect()).collect();
    let frame = page(view, vec![String::new(); view.groups.len()], 0).len();
    let room = HTML_BYTES.saturating_sub(frame + RESERVE_BYTES);
    let mut plan = Plan { forms: Vec::with_capacity(full.len()), omitted: 0 };
    let total: usize = full.iter().flatten().map(String::len).sum();
    let full_room = if total <= room { room } else { room.min(FULL_BYTES) };
    let (mut used, mut form) = (0, Form::Full);
    let mut bodies = Vec::with_capacity(full.len());
    for (group, items) in view.groups.iter().zip(full) {
        let (mut body, mut forms) = (String::new(), Vec::with_capacity(items.len()));
        for (item, html) in group.items.iter().zip(items) {
            // Once something is cut, nothing after it is shown in a longer form: the order is the order of importance.
            if form == Form::Full && used + html.len() > full_room {
                form = Form::Compact;
            }
            let piece = match form {
                Form::Full => html,
                Form::Compact => rendered(&CompactItem { item, title: plain_title(item), outlets: outlets(item) }),
                Form::Omitted => String::new(),
            };
            if used + piece.len() > room {
                form = Form::Omitted;
            }
            forms.push(form);
            match form {
                Form::Omitted => plan.omitted += item.hits,
                Form::Full | Form::Compact => {
                    used += piece.len();
                    body.push_str(&piece);
                }
            }
        }
        plan.forms.push(forms);
        bodies.push(body);
    }
    (page(view, bodies, plan.omitted), plan)
}

/// Returns a headline without marks.
pub(super) fn plain_title(item: &ItemView) -> String {
    item.title.iter().map(|piece| piece.text.as_str()).collect()
}

/// Returns the outlet of an item, and how many other articles of its story there are.
pub(super) fn outlets(item: &ItemView) -> String {
    match item.hits {
        1 => item.outlet.clone(),
        hits => format!("{} and {} more", item.outlet, hits - 1),
    }
}

fn page(view: &View, bodies: Vec<String>, omitted: usize) -> String {
    let groups = view.groups.iter().zip(bodies);
    rendered(&Page {
        subject: &view.subject,
        digest: &view.digest,
        summary: &view.summary,
        sections: groups.map(|(group, items)| Section { rule: &group.rule, count: &group.count, items }).collect(),
        omitted,
        footer: &view.footer,
    })
}

fn rendered(template: &impl Template) -> String {
    template.render().expect("a template that calls nothing fallible renders")
}
