(function (native) { 'use strict'; return {}; })
