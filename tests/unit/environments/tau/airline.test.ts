import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AIRLINE_TOOLS } from "#environments/tau/airline/environment.ts";
import { CANONICAL, DatabaseHasher, tauHash } from "#environments/tau/database-hash.ts";
import { airline, booking, call, play, readCall, snapshot, taskWith, writeCall } from "./small-airline.ts";

const canonicalHasher = new DatabaseHasher(airline.reset().database, CANONICAL);
const calls = fc.array(fc.oneof(readCall, writeCall), { maxLength: 6 });

describe("a call without arguments", () => {
  it.each(["", " ", "null"])("is one with {} when they are written as %j", (none) => {
    for (const name of ["list_all_airports", "think", "cancel_reservation", "nope"]) {
      const step = airline.step(airline.reset(), { name, argumentsJson: none });
      expect(step).toEqual(airline.step(airline.reset(), { name, argumentsJson: "{}" }));
    }
    expect(airline.step(airline.reset(), { name: "list_all_airports", argumentsJson: none }).isError).toBe(false);
  });
});

describe("states", () => {
  it("a step never changes an earlier state", () => {
    fc.assert(
      fc.property(calls, fc.oneof(readCall, writeCall), (before, next) => {
        const state = play(before);
        const kept = snapshot(state);
        airline.step(state, next);
        expect(snapshot(state)).toBe(kept);
      }),
    );
  });

  it("replaying the calls on a fresh state gives the live state and the same observations", () => {
    fc.assert(
      fc.property(calls, (sequence) => {
        const live: string[] = [];
        let state = airline.reset();
        for (const next of sequence) {
          const step = airline.step(state, next);
          live.push(step.observation);
          state = step.state;
        }
        let again = airline.reset();
        const replayed = sequence.map((next) => {
          const step = airline.step(again, next);
          again = step.state;
          return step.observation;
        });
        expect(replayed).toEqual(live);
        expect(snapshot(again)).toBe(snapshot(state));
        expect(airline.stateHash(again)).toBe(airline.stateHash(state));
      }),
    );
  });

  it("states have equal hashes exactly when they hold the same records, in all three hashes", () => {
    fc.assert(
      fc.property(calls, calls, (first, second) => {
        const [left, right] = [play(first), play(second)];
        const isSame = tauHash(left) === tauHash(right);
        expect(airline.stateHash(left) === airline.stateHash(right)).toBe(isSame);
        if (isSame) expect(canonicalHasher.hash(left)).toBe(canonicalHasher.hash(right));
      }),
    );
  });

  it("a change that is taken back leads to the hash of the beginning", () => {
    const bags = (total: number) =>
      call("update_reservation_baggages", {
        reservation_id: "AAAAAA",
        total_baggages: total,
        nonfree_baggages: 0,
        payment_id: "gift_card_1",
      });
    const changed = play([bags(2)]);
    expect(airline.stateHash(changed)).not.toBe(airline.stateHash(airline.reset()));
    expect(airline.stateHash(play([bags(1)], changed))).toBe(airline.stateHash(airline.reset()));
  });

  it("an int and a float of equal value are different states", () => {
    const certificate = (amount: string) => ({ name: "send_certificate", argumentsJson: `{"user_id": "mia_li_1", "amount": ${amount}}` });
    const [whole, float] = [play([certificate("100")]), play([certificate("100.0")])];
    expect(airline.stateHash(whole)).not.toBe(airline.stateHash(float));
    expect(tauHash(whole)).not.toBe(tauHash(float));
    expect(canonicalHasher.hash(whole)).toBe(canonicalHasher.hash(float));
  });
});

describe("grade", () => {
  it("is invariant to extra reads, wherever they come", () => {
    fc.assert(
      fc.property(fc.array(writeCall, { maxLength: 4 }), fc.array(readCall, { maxLength: 4 }), fc.nat(), (writes, reads, place) => {
        const task = taskWith(writes);
        const at = place % (writes.length + 1);
        const withReads = [...writes.slice(0, at), ...reads, ...writes.slice(at)];
        expect(airline.grade(play(withReads), task, [])).toEqual({ reward: 1, isDatabaseMatch: true, missingOutputs: [] });
      }),
    );
  });

  it("is 1 for the golden actions and 0 for doing nothing when they change something", () => {
    const task = taskWith([booking]);
    expect(airline.grade(play([booking]), task, []).reward).toBe(1);
    expect(airline.grade(airline.reset(), task, []).reward).toBe(0);
  });

  it("does not count a transfer among the golden actions", () => {
    const transfer = call("transfer_to_human_agents", { summary: "" });
    expect(airline.grade(airline.reset(), taskWith([transfer]), []).reward).toBe(1);
  });

  it("finds an output in any reply, whatever its case and thousands separators", () => {
    const task = taskWith([], ["1286", "Gift Card"]);
    expect(airline.grade(airline.reset(), task, ["That is $1,286.00.", "Paid by GIFT CARD."]).reward).toBe(1);
    expect(airline.grade(airline.reset(), task, ["That is 1 286, by gift card"])).toEqual({
      reward: 0,
      isDatabaseMatch: true,
      missingOutputs: ["1286"],
    });
  });
});

describe("calls", () => {
  it("of any name with any JSON arguments are answered, never thrown", () => {
    const names = fc.constantFrom(...AIRLINE_TOOLS.map(({ name }) => name), "toString", "__proto__");
    fc.assert(
      fc.property(names, fc.jsonValue(), (name, value) => {
        expect(typeof airline.step(airline.reset(), { name, argumentsJson: JSON.stringify(value) }).observation).toBe("string");
      }),
    );
  });

  it("with any value for any parameter are answered, never thrown", () => {
    const tool = fc.constantFrom(...AIRLINE_TOOLS.filter(({ parameters }) => parameters.length > 0));
    fc.assert(
      fc.property(
        tool,
        fc.array(fc.jsonValue(), { minLength: 11, maxLength: 11 }),
        fc.boolean(),
        ({ name, parameters }, values, isKnown) => {
          const kwargs = Object.fromEntries(parameters.map((parameter, index) => [parameter, values[index]]));
          if (isKnown && "reservation_id" in kwargs) kwargs["reservation_id"] = "AAAAAA";
          if (isKnown && "user_id" in kwargs) kwargs["user_id"] = "mia_li_1";
          const before = airline.reset();
          const { state, observation } = airline.step(before, { name, argumentsJson: JSON.stringify(kwargs) });
          expect(typeof observation).toBe("string");
          expect(airline.stateHash(state)).toMatch(/^[0-9a-f]{64}$/);
        },
      ),
    );
  });

  it("with text that is no JSON object are answered with an error", () => {
    const answer = (argumentsJson: string) => airline.step(airline.reset(), { name: "think", argumentsJson });
    expect(answer('{"thought": ')).toMatchObject({ observation: "Error: Expecting value: line 1 column 13 (char 12)", isError: true });
    expect(answer("[1]")).toMatchObject({ observation: "Error: arguments must be a JSON object", isError: true });
    expect(answer('{"thought": NaN}')).toMatchObject({ observation: "Error: number out of range: NaN", isError: true });
    expect(answer('{"thought": 1e999}')).toMatchObject({ isError: true });
    expect(answer("[".repeat(100_000))).toMatchObject({ isError: true });
    expect(answer(JSON.stringify({ thought: "x".repeat(2_000_000) }))).toMatchObject({ isError: true });
  });

  it("are told apart as reads, writes and endings", () => {
    expect(AIRLINE_TOOLS.filter(({ name }) => airline.isWrite(name)).map(({ name }) => name)).toEqual([
      "book_reservation",
      "cancel_reservation",
      "send_certificate",
      "transfer_to_human_agents",
      "update_reservation_baggages",
      "update_reservation_flights",
      "update_reservation_passengers",
    ]);
    expect(AIRLINE_TOOLS.filter(({ name }) => airline.isTerminal(name)).map(({ name }) => name)).toEqual(["transfer_to_human_agents"]);
    expect(airline.tools.map(({ function: { name } }) => name)).toEqual(AIRLINE_TOOLS.map(({ name }) => name));
  });

  it("that fail halfway keep what they wrote: a certificate named twice is gone, and no reservation exists", () => {
    const payments = [
      { payment_id: "certificate_2", amount: 50 },
      { payment_id: "certificate_2", amount: 50 },
    ];
    const twice = {
      name: booking.name,
      argumentsJson: JSON.stringify({ ...JSON.parse(booking.argumentsJson), payment_methods: payments }),
    };
    const { state, observation } = airline.step(airline.reset(), twice);
    expect(observation).toBe("Error: 'certificate_2'");
    expect(state.find("users", "mia_li_1")?.json).not.toContain("certificate_2");
    expect(state.find("reservations", "HATHAT")).toBeUndefined();
  });
});
