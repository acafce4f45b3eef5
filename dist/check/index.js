require('../main/index.js').run('action', 'check');
