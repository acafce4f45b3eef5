#!/usr/bin/env node
require('../main/index.js').run('cli');
