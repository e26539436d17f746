// sys: the old name of util.
(function (native) { 'use strict'; return native.use('util'); })
