//! The last request of each client that a table's commits answered: what lets a request that is sent again be answered and not done again.
//! Kept in meta.json, so that it outlives a compaction of the events that named the requests.

use crate::flat::FlatMap;
use alloc::string::String;

use super::stamp::Request;
use crate::limits::CLIENTS_MAX;
use crate::time::Seq;

/// A request that was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The request's number.
    pub number: u64,
    /// The seq of the first event of its commit.
    pub seq: Seq,
}

/// By client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Requests(FlatMap<String, Answered>);

impl Requests {
    /// The last request of a client.
    pub fn get(&self, client: &str) -> Option<Answered> {
        self.0.get(client).copied()
    }

    /// Remembers a request, if it is the client's last; forgets the client that has not written for the longest time if they are too many.
    pub fn note(&mut self, request: &Request, seq: Seq) {
        let answered = Answered {
            number: request.number,
            seq,
        };
        match self.0.get_mut(&request.client) {
            Some(last) if last.number >= request.number => return,
            Some(last) => *last = answered,
            None => {
                self.0.insert(request.client.clone(), answered);
            }
        }
        if self.0.len() > CLIENTS_MAX {
            let oldest = self.0.iter().min_by_key(|(_, answered)| answered.seq);
            if let Some(oldest) = oldest.map(|(client, _)| client.clone()) {
                self.0.remove(&oldest);
            }
        }
    }

    /// All of them, in order of the clients' names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Answered)> {
        self.0
            .iter()
            .map(|(client, answered)| (client.as_str(), *answered))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use alloc::format;

    use super::*;

    fn request(client: &str, number: u64) -> Request {
        Request {
            client: client.into(),
            number,
        }
    }

    #[test]
    fn the_last_request_of_a_client_counts() {
        let mut requests = Requests::default();
        requests.note(&request("a", 2), Seq(10));
        requests.note(&request("a", 1), Seq(9));
        requests.note(&request("b", 7), Seq(11));
        let last = requests.get("a").unwrap();
        assert_eq!((last.number, last.seq), (2, Seq(10)));
        assert_eq!(requests.get("c"), None);
        assert_eq!(requests.iter().count(), 2);
    }

    #[test]
    fn who_wrote_longest_ago_is_forgotten() {
        let mut requests = Requests::default();
        for number in 0..=CLIENTS_MAX {
            requests.note(&request(&format!("c{number}"), 1), Seq(number as u64 + 1));
        }
        assert_eq!(requests.iter().count(), CLIENTS_MAX);
        assert_eq!(requests.get("c0"), None);
        assert!(requests.get("c1").is_some());
    }
}
