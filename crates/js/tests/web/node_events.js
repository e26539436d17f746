test('todo', () => {});
