// pipeTo: https://streams.spec.whatwg.org/#readable-stream-pipe-to
(function (native) {
  'use strict';
  const { noop, Reader } = native;

  // Moves chunks until one side ends; what happened there is then done to the other.
  return (source, readable, destination, writable, { preventClose, preventAbort, preventCancel, signal }) => {
    if (signal !== undefined && !(signal instanceof native.use('AbortSignal'))) throw new TypeError('signal is not of type AbortSignal.');
    const reader = new Reader(readable, 'default');
    const writer = destination.getWriter();
    readable.disturbed = true;
    let written = Promise.resolve();
    let ending = false;

    return new Promise((resolve, reject) => {
      const finish = (failure) => {
        writer.releaseLock();
        reader.release();
        signal?.removeEventListener('abort', onAbort);
        if (failure) reject(failure.reason);
        else resolve();
      };
      // Waits for what is being written, then acts, then settles; the first end counts.
      const end = (action, failure) => {
        if (ending) return;
        ending = true;
        const wait = writable.state === 'writable' && !writable.isClosing() ? written.catch(noop) : Promise.resolve();
        wait.then(() => action?.()).then(() => finish(failure), (error) => finish({ reason: error }));
      };
      const onAbort = () => {
        const { reason } = signal;
        end(() => Promise.all([
          preventAbort || writable.state !== 'writable' ? undefined : writable.abort(reason),
          preventCancel || readable.state !== 'readable' ? undefined : readable.cancel(reason),
        ]), { reason });
      };

      const sourceFailed = (error) => end(preventAbort ? undefined : () => writable.abort(error), { reason: error });
      const destinationFailed = (error) => end(preventCancel ? undefined : () => readable.cancel(error), { reason: error });
      const sourceClosed = () => end(preventClose ? undefined : () => {
        if (writable.isClosing() || writable.state === 'closed') return undefined;
        if (writable.state === 'errored') throw writable.error;
        return writable.close();
      });

      if (signal?.aborted) return onAbort();
      signal?.addEventListener('abort', onAbort);
      if (readable.state === 'errored') return sourceFailed(readable.error);
      if (writable.state === 'errored' || writable.state === 'erroring') return destinationFailed(writable.error);
      if (readable.state === 'closed') return sourceClosed();
      if (writable.isClosing() || writable.state === 'closed') {
        return destinationFailed(new TypeError('The destination of the pipe is closed.'));
      }
      reader.closed.promise.then(undefined, sourceFailed);
      writer.closed.then(() => destinationFailed(new TypeError('The destination of the pipe was closed.')), destinationFailed);

      const step = () => {
        if (ending) return;
        writer.ready.then(() => {
          if (ending) return;
          readable.read({
            chunk: (chunk) => {
              written = writer.write(chunk);
              written.catch(noop);
              step();
            },
            close: sourceClosed,
            error: noop,
          });
        }, noop);
      };
      step();
    });
  };
})
