(function (native) { 'use strict'; return { env: {}, emitWarning(m,t,c) { globalThis.console.warn(`(dolmen) ${c ? `[${c}] ` : ''}${t}: ${m}`) } }; })
