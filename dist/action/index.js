require('../main/index.js').run('action', 'attest');
