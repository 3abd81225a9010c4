#!/usr/bin/env node
// Not built, so that it is there when npm links it: for a file that is missing then, npm makes no link in silence, and
// `npx parley` would fetch a stranger's package of that name.
import '../dist/parley.js'
