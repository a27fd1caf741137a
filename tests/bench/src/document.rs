//! An order: its members, and its forms as JSON text and as msgpack.

use crate::random::Random;
use rmp::encode as mp;
use std::fmt::Write as _;

/// The values of `status`.
pub const STATUSES: [&str; 5] = ["pending", "paid", "shipped", "delivered", "returned"];
const CITIES: [&str; 6] = ["Ghent", "Lyon", "Porto", "Bergen", "Tartu", "Graz"];
const CURRENCIES: [&str; 3] = ["EUR", "USD", "NOK"];
const TAGS: [&str; 6] = ["gift", "express", "fragile", "web", "phone", "repeat"];
const WORDS: [&str; 8] = [
    "leave", "at", "the", "door", "ring", "twice", "call", "before",
];

/// The name of customer `number`.
pub fn customer(number: u64) -> String {
    format!("cust-{number:07}")
}

/// An order of about 200 bytes of JSON.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Doc {
    /// The primary key.
    pub id: String,
    /// The indexed member.
    pub customer_id: String,
    /// What scans group by.
    pub status: &'static str,
    /// What scans sum up.
    pub amount: i64,
    /// Members that no patch touches.
    pub rest: Rest,
}

/// Members that no patch touches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rest {
    currency: &'static str,
    city: &'static str,
    zip: u64,
    street: u64,
    tags: [&'static str; 2],
    note: String,
}

/// A change of two members.
#[derive(Clone)]
pub enum Patch {
    /// The order moves on: status and amount.
    Status(&'static str, i64),
    /// The order changes hands: customer_id and amount.
    Customer(String, i64),
}

impl Doc {
    /// A new order of one of `customers` customers.
    pub fn random(id: String, customers: u64, random: &mut Random) -> Doc {
        let mut pick = |list: &[&'static str]| list[random.below(list.len() as u64) as usize];
        let status = pick(&STATUSES);
        let (currency, city) = (pick(&CURRENCIES), pick(&CITIES));
        let tags = [pick(&TAGS), pick(&TAGS)];
        let words = [pick(&WORDS), pick(&WORDS), pick(&WORDS), pick(&WORDS)];
        Doc {
            id,
            customer_id: customer(random.below(customers)),
            status,
            amount: random.below(100_000) as i64,
            rest: Rest {
                currency,
                city,
                zip: 1000 + random.below(9000),
                street: 1 + random.below(200),
                tags,
                note: format!("{} {:06x}", words.join(" "), random.below(1 << 24)),
            },
        }
    }

    /// What the order is after `patch`.
    pub fn patched(&self, patch: &Patch) -> Doc {
        let mut doc = self.clone();
        match patch {
            Patch::Status(status, amount) => {
                doc.status = status;
                doc.amount = *amount;
            }
            Patch::Customer(customer, amount) => {
                doc.customer_id.clone_from(customer);
                doc.amount = *amount;
            }
        }
        doc
    }

    /// The order as msgpack, appended to `out`.
    pub fn msgpack(&self, out: &mut Vec<u8>) {
        done(mp::write_map_len(out, 8).map(|_| ()));
        text(out, "id", &self.id);
        text(out, "customer_id", &self.customer_id);
        text(out, "status", self.status);
        number(out, "amount", self.amount);
        text(out, "currency", self.rest.currency);
        done(mp::write_str(out, "address"));
        done(mp::write_map_len(out, 3).map(|_| ()));
        text(out, "city", self.rest.city);
        number(out, "zip", self.rest.zip as i64);
        number(out, "street", self.rest.street as i64);
        done(mp::write_str(out, "tags"));
        done(mp::write_array_len(out, 2).map(|_| ()));
        done(mp::write_str(out, self.rest.tags[0]));
        done(mp::write_str(out, self.rest.tags[1]));
        text(out, "note", &self.rest.note);
    }
}

impl Rest {
    /// The members as one JSON object.
    pub fn json(&self) -> String {
        let mut out = String::with_capacity(160);
        // Writing to a String cannot fail.
        let _ = write!(
            out,
            r#"{{"currency":"{}","address":{{"city":"{}","zip":{},"street":{}}},"tags":["{}","{}"],"note":"{}"}}"#,
            self.currency, self.city, self.zip, self.street, self.tags[0], self.tags[1], self.note
        );
        out
    }
}

impl Patch {
    /// The patch as msgpack, appended to `out`.
    pub fn msgpack(&self, out: &mut Vec<u8>) {
        done(mp::write_map_len(out, 2).map(|_| ()));
        match self {
            Patch::Status(status, amount) => {
                text(out, "status", status);
                number(out, "amount", *amount);
            }
            Patch::Customer(customer, amount) => {
                text(out, "customer_id", customer);
                number(out, "amount", *amount);
            }
        }
    }
}

fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    done(mp::write_str(out, name));
    done(mp::write_str(out, value));
}

fn number(out: &mut Vec<u8>, name: &str, value: i64) {
    done(mp::write_str(out, name));
    done(mp::write_sint(out, value).map(|_| ()));
}

/// Writing to a Vec cannot fail.
fn done<E>(written: Result<(), E>) {
    debug_assert!(written.is_ok());
}

/// The members a read of a msgpack order looks at: enough of a walk to prove that the document is there.
pub struct Glance<'a> {
    /// The indexed member.
    pub customer_id: &'a str,
    /// What scans group by.
    pub status: &'a str,
    /// What scans sum up.
    pub amount: i64,
}

/// Walks the first four members of an order written by [`Doc::msgpack`] or merged from it.
pub fn glance(bytes: &[u8]) -> Option<Glance<'_>> {
    let mut rest = bytes;
    mp_ok(rmp::decode::read_map_len(&mut rest))?;
    let mut glance = Glance {
        customer_id: "",
        status: "",
        amount: 0,
    };
    for _ in 0..4 {
        let name = string(&mut rest)?;
        match name {
            "customer_id" => glance.customer_id = string(&mut rest)?,
            "status" => glance.status = string(&mut rest)?,
            "amount" => glance.amount = mp_ok(rmp::decode::read_int(&mut rest))?,
            _ => {
                string(&mut rest)?;
            }
        }
    }
    Some(glance)
}

fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (value, after) = rmp::decode::read_str_from_slice(*rest).ok()?;
    *rest = after;
    Some(value)
}

fn mp_ok<T, E>(result: Result<T, E>) -> Option<T> {
    result.ok()
}

/// The JSON text of an order that is given as msgpack.
pub fn json(bytes: &[u8]) -> Option<String> {
    let mut out = String::with_capacity(bytes.len() * 2);
    let mut rest = bytes;
    json_value(&mut rest, &mut out)?;
    rest.is_empty().then_some(out)
}

fn json_value(rest: &mut &[u8], out: &mut String) -> Option<()> {
    use rmp::Marker;
    match Marker::from_u8(*rest.first()?) {
        Marker::FixMap(_) | Marker::Map16 | Marker::Map32 => {
            let members = mp_ok(rmp::decode::read_map_len(rest))?;
            out.push('{');
            for member in 0..members {
                if member > 0 {
                    out.push(',');
                }
                json_value(rest, out)?;
                out.push(':');
                json_value(rest, out)?;
            }
            out.push('}');
        }
        Marker::FixArray(_) | Marker::Array16 | Marker::Array32 => {
            let items = mp_ok(rmp::decode::read_array_len(rest))?;
            out.push('[');
            for item in 0..items {
                if item > 0 {
                    out.push(',');
                }
                json_value(rest, out)?;
            }
            out.push(']');
        }
        Marker::FixStr(_) | Marker::Str8 | Marker::Str16 | Marker::Str32 => {
            // Orders hold no character that JSON escapes.
            write!(out, "\"{}\"", string(rest)?).ok()?;
        }
        _ => {
            let value: i64 = mp_ok(rmp::decode::read_int(rest))?;
            write!(out, "{value}").ok()?;
        }
    }
    Some(())
}
