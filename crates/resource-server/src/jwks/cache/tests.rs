//! The state machine under a clock of the test's own: refresh 300 s, stale until 3600 s, cooldown 30 s.

use super::*;
use Step::{GiveUp, Refresh, Use, Wait, WaitForNew};

const fn s(seconds: u64) -> Moment {
    Moment::from_secs(seconds)
}

fn cold() -> Cache {
    Cache::new(bounds())
}

/// The default ones, but for attempts that never get lost.
fn bounds() -> Bounds {
    Bounds { attempt: Duration::MAX, ..crate::JwksOptions::default().set_bounds() }
}

/// The fetch that was begun last brought a set that it did not have before and said nothing of its age.
fn came(cache: &mut Cache, now: Moment) {
    cache.fetched(now, cache.attempt(), None, true).unwrap();
}

fn failed(cache: &mut Cache, now: Moment) {
    cache.failed(now, cache.attempt()).unwrap();
}

/// A cache whose set came at second 0.
fn warm() -> Cache {
    let mut cache = cold();
    assert_eq!(cache.request(s(0)), WaitForNew);
    came(&mut cache, s(0));
    cache
}

#[test]
fn a_cold_start_fetches_once_for_all() {
    let mut cache = cold();
    assert_eq!(cache.request(s(0)), WaitForNew);
    assert!((0..1000).all(|_| cache.request(s(0)) == Wait));
    came(&mut cache, s(1));
    assert!((0..1000).all(|_| cache.request(s(1)) == Use));
}

#[test]
fn each_age_has_its_step() {
    for (age, step) in [
        (s(0), Use),
        (s(239), Use),
        (s(240), Refresh),
        (s(299), Refresh),
        (s(300), WaitForNew),
        (s(3599), WaitForNew),
        (s(3600), WaitForNew),
        (s(1_000_000), WaitForNew),
        (Moment::MAX, WaitForNew),
    ] {
        assert_eq!(warm().request(age), step, "{age:?}");
    }
}

#[test]
fn while_fetches_fail_the_old_set_is_used_without_waiting_until_it_is_too_old() {
    for (age, step) in [(s(250), Use), (s(300), Use), (s(3599), Use), (s(3600), Wait)] {
        let mut cache = warm();
        assert_eq!(cache.request(s(240)), Refresh);
        failed(&mut cache, s(241));
        assert!(cache.request(s(242)).must_fetch(), "the next attempt is under way");
        assert_eq!(cache.request(age), step, "{age:?}");
        assert_eq!(cache.may_use(age), age < s(3600));
    }
}

#[test]
fn what_is_too_old_is_refused_while_fetches_fail() {
    let mut cache = warm();
    assert_eq!(cache.request(s(3600)), WaitForNew);
    failed(&mut cache, s(3600));
    assert_eq!(cache.request(s(3600)), GiveUp);
    assert!(!cache.may_use(s(3600)));
}

#[test]
fn pauses_grow_from_one_second_to_the_cooldown() {
    let mut cache = cold();
    let mut attempts = Vec::new();
    for now in 0..200 {
        if cache.request(s(now)) == WaitForNew {
            failed(&mut cache, s(now));
            attempts.push(now);
        }
    }
    let pauses: Vec<_> = attempts.windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30, 30, 30]);
}

#[test]
fn a_success_ends_the_pauses() {
    let mut cache = cold();
    for now in [0, 1, 3, 7] {
        assert_eq!(cache.request(s(now)), WaitForNew);
        failed(&mut cache, s(now));
    }
    assert_eq!(cache.request(s(15)), WaitForNew);
    came(&mut cache, s(15));
    assert_eq!(cache.failures(), 0);
    assert_eq!(cache.request(s(15 + 300)), WaitForNew);
}

#[test]
fn an_unknown_key_is_looked_up_once_a_cooldown() {
    let mut cache = warm();
    assert_eq!(cache.unknown_key(s(5), 1), WaitForNew);
    assert!((0..1000).all(|_| cache.unknown_key(s(5), 1) == Wait));
    came(&mut cache, s(6));
    for now in 6..35 {
        assert_eq!(cache.unknown_key(s(now), 2), GiveUp, "{now}");
    }
    assert_eq!(cache.unknown_key(s(35), 2), WaitForNew);
}

#[test]
fn a_key_that_came_while_the_token_was_looked_at_needs_no_fetch() {
    let mut cache = warm();
    assert_eq!(cache.unknown_key(s(5), 0), Use);
}

#[test]
fn a_key_published_right_after_a_fetch_is_found() {
    // The cooldown counts from the last lookup of an unknown key, not from the last fetch.
    let mut cache = warm();
    assert_eq!(cache.unknown_key(s(0), 1), WaitForNew);
}

#[test]
fn an_unknown_key_makes_no_fetch_while_fetches_pause() {
    let mut cache = warm();
    assert_eq!(cache.request(s(240)), Refresh);
    failed(&mut cache, s(241));
    assert_eq!(cache.unknown_key(s(241), 1), GiveUp);
    assert_eq!(cache.unknown_key(s(242), 1), WaitForNew);
}

#[test]
fn a_clock_that_goes_back_stands_still() {
    let mut cache = warm();
    assert_eq!(cache.unknown_key(s(100), 1), WaitForNew);
    came(&mut cache, s(100));
    assert_eq!(cache.request(s(3)), Use);
    assert_eq!(cache.unknown_key(s(3), 2), GiveUp);
    assert_eq!(cache.age(s(3)), Some(s(0)));
}

#[test]
fn a_stale_limit_below_the_refresh_does_not_make_fresh_sets_stale() {
    let mut cache = Cache::new(Bounds { max_stale: s(10), ..bounds() });
    cache.request(s(0));
    came(&mut cache, s(0));
    assert_eq!(cache.request(s(100)), Use);
    assert!(cache.may_use(s(100)));
}

#[test]
fn what_the_source_says_counts_within_the_bounds() {
    for (said, fresh_for) in [
        (None, 300),
        (Some(s(0)), 60),
        (Some(s(59)), 60),
        (Some(s(61)), 61),
        (Some(s(899)), 899),
        (Some(s(901)), 900),
        (Some(Moment::MAX), 900),
    ] {
        let mut cache = cold();
        cache.request(s(0));
        cache.fetched(s(0), cache.attempt(), said, true).unwrap();
        let ahead = s(fresh_for) / 5 * 4;
        assert_eq!(cache.ask_at(), Some(ahead), "{said:?}");
        assert_eq!(cache.request(ahead - s(1)), Use, "{said:?}");
        assert_eq!(cache.request(ahead), Refresh, "{said:?}");
        assert_eq!(cache.request(s(fresh_for)), Wait, "{said:?}");
    }
}

#[test]
fn what_did_not_change_is_fresh_again_and_of_the_same_generation() {
    let mut cache = warm();
    assert_eq!(cache.request(s(240)), Refresh);
    assert_eq!(cache.fetched(s(241), cache.attempt(), None, false), Some(1));
    assert_eq!((cache.age(s(241)), cache.request(s(480))), (Some(s(0)), Use));
    assert_eq!(cache.unknown_key(s(480), 1), WaitForNew, "it is no newer set");
}

#[test]
fn the_refresher_fetches_ahead_and_waits_in_between() {
    let mut cache = cold();
    assert_eq!(cache.tick(s(1000)), Tick::Wait, "nobody has asked yet");
    assert_eq!(cache.request(s(0)), WaitForNew);
    assert_eq!(cache.tick(s(1)), Tick::Wait, "under way");
    came(&mut cache, s(2));
    assert_eq!(cache.tick(s(2)), Tick::At(s(242)));
    assert_eq!(cache.tick(s(241)), Tick::At(s(242)));
    assert_eq!(cache.tick(s(242)), Tick::Fetch);
    assert_eq!(cache.tick(s(242)), Tick::Wait);
    assert_eq!(cache.request(s(242)), Use, "it shares the flight with the requests");
    failed(&mut cache, s(243));
    assert_eq!(cache.tick(s(243)), Tick::At(s(244)));
    assert_eq!(cache.tick(s(244)), Tick::Fetch);
    failed(&mut cache, s(249));
    assert_eq!(cache.tick(s(249)), Tick::At(s(251)));
}

#[test]
fn the_refresher_does_not_look_unknown_keys_up() {
    let mut cache = warm();
    assert_eq!(cache.unknown_key(s(5), 1), WaitForNew);
    failed(&mut cache, s(6));
    assert_eq!(cache.tick(s(6)), Tick::At(s(240)), "the set is fresh, whoever sends unknown keys");
}

#[test]
fn the_refresher_pauses_whatever_the_bounds() {
    let nothing = Moment::ZERO;
    let bounds = Bounds {
        refresh: nothing,
        min_refresh: nothing,
        max_refresh: nothing,
        max_stale: nothing,
        cooldown: nothing,
        attempt: nothing,
    };
    let mut cache = Cache::new(bounds);
    cache.request(s(0));
    came(&mut cache, s(0));
    for now in 1..100 {
        assert_eq!(cache.tick(s(now) - Moment::from_nanos(1)), Tick::At(s(now)));
        assert_eq!(cache.tick(s(now)), Tick::Fetch);
        if now % 2 == 0 { came(&mut cache, s(now)) } else { failed(&mut cache, s(now)) }
    }
}

#[test]
fn an_attempt_that_is_lost_holds_nobody_up_and_its_report_changes_nothing() {
    let mut cache = Cache::new(Bounds { attempt: s(5), ..bounds() });
    assert_eq!(cache.request(s(0)), WaitForNew);
    let lost = cache.attempt();
    assert_eq!(cache.request(s(9)), Wait);
    assert_eq!(cache.request(s(10)), WaitForNew);
    assert_eq!(cache.fetched(s(11), lost, None, true), None);
    assert_eq!(cache.failed(s(11), lost), None);
    assert_eq!((cache.age(s(11)), cache.request(s(11))), (None, Wait), "the second is still under way");
    came(&mut cache, s(12));
    assert_eq!(cache.fetched(s(13), cache.attempt(), None, true), None, "nobody reports twice");
    assert_eq!(cache.age(s(13)), Some(s(1)));
}

#[test]
fn a_hundred_thousand_requests_with_unknown_keys_are_one_fetch() {
    let mut cache = warm();
    let mut fetches = 0;
    for request in 0..100_000_u64 {
        // All of them within one cooldown.
        let now = s(5) + Moment::from_micros(request * 290);
        match cache.unknown_key(now, cache.generation) {
            WaitForNew => fetches += 1,
            Wait => cache.fetched(now, cache.attempt(), None, false).map(drop).unwrap(),
            step => assert_eq!(step, GiveUp),
        }
    }
    assert_eq!(fetches, 1);
}

#[test]
fn a_clock_that_leaps_forward_is_a_quiet_time() {
    let mut cache = warm();
    assert_eq!(cache.request(Moment::MAX), WaitForNew);
    assert_eq!(cache.tick(Moment::MAX), Tick::Wait);
    came(&mut cache, Moment::MAX);
    assert_eq!(cache.request(Moment::MAX), Use);
    assert_eq!(cache.tick(Moment::MAX), Tick::Fetch, "there is no later moment");
}

/// Ten thousand random steps in each of 200 lives, against what must hold in all of them.
#[test]
fn whatever_happens_fetches_are_bounded_and_nothing_too_old_is_used() {
    for seed in 1..=200_u64 {
        let mut random = seed;
        let mut draw = |below: u64| {
            // xorshift64: enough to wander about, and the same on every run.
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let mut cache = cold();
        let mut now = s(0);
        let (mut under_way, mut came_at) = (false, None);
        let (mut lookups, mut attempts): (Vec<Moment>, u32) = (Vec::new(), 0);
        for _ in 0..10_000 {
            now += Moment::from_millis(draw(3) * draw(20_000));
            match draw(4) {
                0 if under_way => {
                    under_way = false;
                    if draw(2) == 0 {
                        came(&mut cache, now);
                        came_at = Some(now);
                    } else {
                        failed(&mut cache, now);
                    }
                }
                1 => {
                    let generation = cache.generation;
                    let step = cache.unknown_key(now, generation);
                    assert_ne!(step, Use);
                    assert_eq!(step == Wait, under_way);
                    if step.must_fetch() {
                        under_way = true;
                        attempts += 1;
                        lookups.push(now);
                    }
                }
                _ => {
                    let step = cache.request(now);
                    assert!(!step.must_fetch() || !under_way, "two fetches at once");
                    assert!(step != Wait || under_way, "waiting for nothing");
                    if step.may_use() {
                        let age = now - came_at.expect("nothing to use");
                        assert!(age < s(3600), "used at {age:?}");
                    }
                    under_way |= step.must_fetch();
                    attempts += u32::from(step.must_fetch());
                }
            }
        }
        assert!(lookups.windows(2).all(|two| two[1] - two[0] >= s(30)), "lookups too close: seed {seed}");
        let ended = now.as_secs();
        assert!(u64::from(attempts) <= ended, "{attempts} fetches in {ended} s");
    }
}

#[test]
fn what_is_not_said_is_bounded_like_what_is() {
    let mut cache = Cache::new(Bounds { refresh: s(5000), ..bounds() });
    assert_eq!(cache.request(s(0)), WaitForNew);
    came(&mut cache, s(0));
    assert_eq!(cache.request(s(900)), WaitForNew);
}
