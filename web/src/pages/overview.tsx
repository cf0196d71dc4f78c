// The overview: how long, how busy, what waited longest and who ended it, what paused, what was lost.

import type { Long, Overview } from "../api/answers";
import { select, showRange } from "../frame/actions";
import { laneTitle, meta, page, span } from "../frame/store";
import { instant } from "../timeline/hover_card";
import { bytes, count, duration, percent } from "../timeline/time";
import { Swatch } from "../timeline/swatch";
import { Outside } from "../panels/outside";
import { endedByNobody } from "../panels/ended";
import { SortedTable } from "../panels/sorted_table";
import { Answered, useAnswer } from "./answer";

function Number_({ value, of }: { value: string; of: string }) {
  return <div class="number"><b>{value}</b><span>{of}</span></div>;
}

// Who ended it: a thread; or nobody, since its time was up, the call failed, or the trace ended.
function endedBy({ waker, error, start_ns, dur_ns }: Long): string {
  if (waker) return laneTitle(waker.lane) || waker.name;
  return endedByNobody(error, start_ns + dur_ns >= span.value * 0.9999) || "not known";
}

function Waker({ wait }: { wait: Long }) {
  return wait.waker ? <b>{endedBy(wait)}</b> : <span class="dim">{endedBy(wait)}</span>;
}

/** The longest wait in a sentence; and the longest that somebody ended, where that is another one. */
function inWhat(wait: Long): string {
  return wait.function ? `in ${wait.function} (${wait.name})` : `(${wait.name})`;
}

function Longest({ waits }: { waits: Long[] }) {
  const [first] = [...waits].sort((a, b) => b.dur_ns - a.dur_ns);
  const ended = first.waker ? first : waits.find((wait) => wait.waker);
  const link = (wait: Long) => (
    <button type="button" class="link" onClick={() => void select(wait, true, wait.lane)}>
      {laneTitle(wait.lane) || wait.lane_name} waited {duration(wait.dur_ns)}
    </button>
  );
  return (
    <p class="longest">
      Longest: {link(first)} {inWhat(first)}; {first.waker ? <><b>{endedBy(first)}</b> ended it.</> : <>{endedBy(first)}.</>}
      {ended && ended !== first && <> Longest that a thread ended: {link(ended)} {inWhat(ended)}; <b>{endedBy(ended)}</b> ended it.</>}
    </p>
  );
}

function Waits({ answer }: { answer: Overview }) {
  return (
    <section class="card wide">
      <h2>Longest waits, and who ended them</h2>
      {answer.waits.length > 0 && <Longest waits={answer.waits} />}
      {answer.waits.length === 0 ? <Outside /> : (
        <SortedTable
          label="Longest waits"
          rows={answer.waits}
          sort={3}
          keyOf={(wait) => `${wait.row}.${wait.slice}`}
          onPick={(wait) => void select(wait, true, wait.lane)}
          columns={[
            { title: "Thread", value: (wait) => laneTitle(wait.lane) || wait.lane_name },
            { title: "Waited in", value: (wait) => wait.name, cell: (wait) => <><Swatch cls={wait.class} /> {wait.name}{wait.function && <span class="dim"> in {wait.function}</span>}</> },
            { title: "At", number: true, minor: true, value: (wait) => wait.start_ns, cell: (wait) => instant(wait.start_ns, 1e5) },
            { title: "For", number: true, value: (wait) => wait.dur_ns, cell: (wait) => <b>{duration(wait.dur_ns)}</b> },
            { title: "Ended by", value: endedBy, cell: (wait) => <Waker wait={wait} /> },
          ]}
        />
      )}
    </section>
  );
}

function Busiest({ answer }: { answer: Overview }) {
  const most = Math.max(1, ...answer.busiest.map((each) => each.busy_ns));
  return (
    <section class="card">
      <h2>Busiest threads</h2>
      <ul class="bars">
        {answer.busiest.map((each) => (
          <li key={each.lane}>
            <span class="title">{laneTitle(each.lane) || each.name}</span>
            <span class="value">{duration(each.busy_ns)} <span class="dim">{percent(each.busy_ns, answer.span_ns)}</span></span>
            <span class="bar" style={{ width: `${(100 * each.busy_ns) / most}%` }} />
          </li>
        ))}
      </ul>
    </section>
  );
}

const TRACER = 12;
const LITTLE_NS = 1e6;

/** The tracer's own, so short that nobody need know of each. */
function isLittle({ class: cls, dur_ns }: Long): boolean {
  return cls === TRACER && dur_ns < LITTLE_NS;
}

function Pauses({ answer }: { answer: Overview }) {
  const pauses = answer.pauses.filter((pause) => !isLittle(pause));
  const little = answer.pauses.filter(isLittle);
  return (
    <section class="card">
      <h2>Pauses</h2>
      {pauses.length === 0 ? <p class="empty">Nothing of the program stopped all its threads.</p> : (
        <ul class="lines">
          {pauses.map((pause) => (
            <li key={`${pause.row}.${pause.slice}`}>
              <Swatch cls={pause.class} />
              <button type="button" class="link" onClick={() => void select(pause, true)}>{pause.name}</button>
              <b>{duration(pause.dur_ns)}</b>
              <span class="dim">at {instant(pause.start_ns, 1e5)}</span>
            </li>
          ))}
        </ul>
      )}
      {little.length > 0 && <p class="dim">ctrace itself: {duration(Math.max(...little.map((pause) => pause.dur_ns)))} at the longest.</p>}
    </section>
  );
}

export function OverviewPage() {
  const answer = useAnswer<Overview>("/api/overview");
  const at = meta.value;
  return (
    <div class="sheet">
      <h1 class="only-read">Overview</h1>
      <Answered answer={answer}>
        {(value) => (
          <div class="cards">
            <section class="card wide numbers">
              <Number_ value={duration(value.span_ns)} of="long" />
              <Number_ value={count(value.events)} of="events" />
              <Number_ value={count(value.threads)} of={value.threads === 1 ? "thread" : "threads"} />
              <Number_ value={count(value.cpus)} of="CPUs" />
              <Number_ value={value.lost ? count(value.lost) : "none"} of="lost" />
              {at && <Number_ value={bytes(at.trace.bytes)} of="on disk" />}
              <div class="buttons">
                <button type="button" onClick={() => { page.value = "timeline"; }}>Timeline</button>
                <button type="button" onClick={() => { page.value = "timeline"; showRange(0, value.span_ns); }}>Totals of everything</button>
              </div>
            </section>
            <Waits answer={value} />
            <Busiest answer={value} />
            <Pauses answer={value} />
            {at && (
              <section class="card">
                <h2>Programs</h2>
                <ul class="lines">
                  {at.programs.map((program) => (
                    <li key={program.id}><b>{program.name}</b> <span class="dim">pid {program.pid}, {program.threads} {program.threads === 1 ? "thread" : "threads"}</span> <code>{program.command}</code></li>
                  ))}
                </ul>
              </section>
            )}
          </div>
        )}
      </Answered>
    </div>
  );
}
