// perf_hooks: the web's `performance`.
(function (native) {
  'use strict';
  return native.use('internal/errors').withMissing({
    performance: native.web('performance'), Performance: native.web('Performance'), constants: Object.freeze({}),
  }, 'perf_hooks', ['PerformanceObserver', 'createHistogram', 'monitorEventLoopDelay']);
})
