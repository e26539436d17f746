// performance, with marks and measures (https://w3c.github.io/user-timing/), and navigator: the few values that programs look for.
(function (native) {
  'use strict';

  const ours = Symbol();
  class PerformanceEntry {
    #name; #type; #start; #duration; #detail;
    constructor(token, name, type, start, duration, detail) {
      if (token !== ours) throw new TypeError('Illegal constructor');
      this.#name = name;
      this.#type = type;
      this.#start = start;
      this.#duration = duration;
      this.#detail = detail;
    }
    get name() { return this.#name; }
    get entryType() { return this.#type; }
    get startTime() { return this.#start; }
    get duration() { return this.#duration; }
    get detail() { return this.#detail; }
    toJSON() {
      const { name, entryType, startTime, duration, detail } = this;
      return { name, entryType, startTime, duration, detail };
    }
  }
  class PerformanceMark extends PerformanceEntry {
    constructor(name, options) {
      const { startTime = native.now(), detail = null } = options ?? {};
      if (!(Number(startTime) >= 0)) throw new TypeError('The start of a mark is not negative.');
      super(ours, `${name}`, 'mark', Number(startTime), 0, native.structuredClone(detail));
    }
  }
  class PerformanceMeasure extends PerformanceEntry {}

  class Performance {
    // In the order of their starts.
    #entries = [];
    #add(entry) {
      const after = this.#entries.findLastIndex((each) => each.startTime <= entry.startTime);
      this.#entries.splice(after + 1, 0, entry);
      return entry;
    }
    #clear(type, name) { this.#entries = this.#entries.filter((each) => each.entryType !== type || (name !== undefined && each.name !== `${name}`)); }
    // The time of a mark's name, or a time itself.
    #time(mark) {
      if (typeof mark === 'number') return mark;
      const found = this.#entries.findLast((each) => each.entryType === 'mark' && each.name === `${mark}`);
      if (found === undefined) throw new DOMException(`The mark '${mark}' does not exist.`, 'SyntaxError');
      return found.startTime;
    }
    mark(name, options) {
      if (arguments.length === 0) throw new TypeError("Failed to execute 'mark' on 'Performance': parameter 1 is not of type 'string'.");
      return this.#add(new PerformanceMark(name, options));
    }
    measure(name, startOrOptions, endMark) {
      if (arguments.length === 0) throw new TypeError("Failed to execute 'measure' on 'Performance': parameter 1 is not of type 'string'.");
      const options = typeof startOrOptions === 'object' && startOrOptions !== null ? startOrOptions : { start: startOrOptions, end: endMark };
      const { start, end, duration, detail = null } = options;
      if (start !== undefined && end !== undefined && duration !== undefined) throw new TypeError('A measure has a start, an end or a duration, not all of them.');
      let until = native.now();
      if (end !== undefined) until = this.#time(end);
      else if (start !== undefined && duration !== undefined) until = this.#time(start) + duration;
      let from = 0;
      if (start !== undefined) from = this.#time(start);
      else if (duration !== undefined) from = until - duration;
      return this.#add(new PerformanceMeasure(ours, `${name}`, 'measure', from, until - from, native.structuredClone(detail)));
    }
    clearMarks(name) { this.#clear('mark', name); }
    clearMeasures(name) { this.#clear('measure', name); }
    getEntries() { return [...this.#entries]; }
    getEntriesByName(name, type) { return this.#entries.filter((each) => each.name === `${name}` && (type === undefined || each.entryType === type)); }
    getEntriesByType(type) { return this.#entries.filter((each) => each.entryType === type); }
    #timeOrigin = native.unixMs() - native.now();
    get timeOrigin() { return this.#timeOrigin; }
    now() { return native.now(); }
    toJSON() { return { timeOrigin: this.#timeOrigin }; }
  }

  class Navigator {
    get userAgent() { return 'Dolmen'; }
  }

  for (const constructor of [PerformanceEntry, PerformanceMark, PerformanceMeasure, Performance, Navigator]) native.tag(constructor);
  return { performance: new Performance(), Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure, navigator: new Navigator(), Navigator };
})
