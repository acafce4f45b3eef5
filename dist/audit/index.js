require('../main/index.js').run('action', 'audit');
