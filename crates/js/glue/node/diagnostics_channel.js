// diagnostics_channel: https://nodejs.org/api/diagnostics_channel.html
(function (native) {
  'use strict';
  const { check, invalidType } = native.use('internal/errors');
  const channels = new Map();
  const wrong = (error) => queueMicrotask(() => { native.web('reportError')(error); });

  class Channel {
    #subscribers = [];
    #stores = new Map();
    constructor(name) { this.name = name; }
    get hasSubscribers() { return this.#subscribers.length > 0 || this.#stores.size > 0; }

    subscribe(subscriber) {
      check.function(subscriber, 'subscription');
      this.#subscribers = [...this.#subscribers, subscriber];
    }
    unsubscribe(subscriber) {
      const at = this.#subscribers.indexOf(subscriber);
      if (at < 0) return false;
      this.#subscribers = this.#subscribers.toSpliced(at, 1);
      return true;
    }
    publish(message) {
      for (const subscriber of this.#subscribers) {
        try {
          subscriber(message, this.name);
        } catch (error) {
          wrong(error);
        }
      }
    }
    bindStore(store, transform) { this.#stores.set(store, transform); }
    unbindStore(store) { return this.#stores.delete(store); }
    runStores(message, callback, receiver, ...args) {
      let run = () => {
        this.publish(message);
        return Reflect.apply(callback, receiver, args);
      };
      for (const [store, transform] of this.#stores) {
        const inner = run;
        run = () => {
          let value = message;
          try {
            if (transform) value = transform(message);
          } catch (error) {
            wrong(error);
            return inner();
          }
          return store.run(value, inner);
        };
      }
      return run();
    }
  }

  const channel = (name) => {
    if (typeof name !== 'string' && typeof name !== 'symbol') throw invalidType('channel', ['string', 'symbol'], name);
    let found = channels.get(name);
    if (!found) channels.set(name, found = new Channel(name));
    return found;
  };

  const EVENTS = ['start', 'end', 'asyncStart', 'asyncEnd', 'error'];
  class TracingChannel {
    constructor(source) {
      for (const event of EVENTS) {
        Object.defineProperty(this, event, { value: typeof source === 'string' ? channel(`tracing:${source}:${event}`) : source[event], enumerable: true });
      }
    }
    get hasSubscribers() { return EVENTS.some((event) => this[event]?.hasSubscribers); }
    subscribe(handlers) { for (const event of EVENTS) if (handlers[event]) this[event].subscribe(handlers[event]); }
    unsubscribe(handlers) {
      return EVENTS.filter((event) => handlers[event]).map((event) => this[event].unsubscribe(handlers[event])).every(Boolean);
    }
    traceSync(callback, context = {}, receiver, ...args) {
      return this.start.runStores(context, () => {
        try {
          return context.result = Reflect.apply(callback, receiver, args);
        } catch (error) {
          context.error = error;
          this.error.publish(context);
          throw error;
        } finally {
          this.end.publish(context);
        }
      });
    }
    tracePromise(callback, context = {}, receiver, ...args) {
      const settled = (key, value) => {
        context[key] = value;
        if (key === 'error') this.error.publish(context);
        this.asyncStart.publish(context);
        this.asyncEnd.publish(context);
      };
      return this.start.runStores(context, () => {
        try {
          return Promise.resolve(Reflect.apply(callback, receiver, args)).then(
            (value) => { settled('result', value); return value; },
            (error) => { settled('error', error); throw error; },
          );
        } catch (error) {
          context.error = error;
          this.error.publish(context);
          throw error;
        } finally {
          this.end.publish(context);
        }
      });
    }
    traceCallback(callback, position = -1, context = {}, receiver, ...args) {
      const original = args.at(position);
      check.function(original, 'callback');
      const { asyncStart, asyncEnd, error: failed } = this;
      args.splice(position, 1, function (...results) {
        const [error, result] = results;
        if (error) {
          context.error = error;
          failed.publish(context);
        } else context.result = result;
        return asyncStart.runStores(context, () => {
          try {
            return Reflect.apply(original, this, results);
          } finally {
            asyncEnd.publish(context);
          }
        });
      });
      return this.start.runStores(context, () => {
        try {
          return Reflect.apply(callback, receiver, args);
        } catch (error) {
          context.error = error;
          failed.publish(context);
          throw error;
        } finally {
          this.end.publish(context);
        }
      });
    }
  }

  return {
    channel, Channel,
    hasSubscribers: (name) => channels.get(name)?.hasSubscribers ?? false,
    subscribe: (name, subscriber) => channel(name).subscribe(subscriber),
    unsubscribe: (name, subscriber) => channel(name).unsubscribe(subscriber),
    tracingChannel: (source) => new TracingChannel(source),
  };
})
