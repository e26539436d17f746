test('listeners are called in order, with the event', () => {
  const target = new EventTarget();
  const seen = [];
  target.addEventListener('x', function (event) { seen.push(['first', event.type, this === target, event.target === target, event.currentTarget === target, event.eventPhase]) });
  target.addEventListener('x', { handleEvent(event) { seen.push(['object', event.detail]) } });
  equal(target.dispatchEvent(new CustomEvent('x', { detail: { a: 1 } })), true);
  equal(seen, [['first', 'x', true, true, true, 2], ['object', { a: 1 }]]);
  equal(target.dispatchEvent(new Event('other')), true);
});
test('once, duplicates, removal, null', () => {
  const target = new EventTarget();
  let count = 0;
  const listener = () => count++;
  target.addEventListener('x', listener, { once: true });
  target.addEventListener('x', listener);
  target.dispatchEvent(new Event('x'));
  target.dispatchEvent(new Event('x'));
  equal(count, 1);
  target.addEventListener('y', listener);
  target.addEventListener('y', listener, true);
  target.removeEventListener('y', listener);
  target.dispatchEvent(new Event('y'));
  equal(count, 2);
  target.addEventListener('z', null);
  target.dispatchEvent(new Event('z'));
});
test('a listener removed meanwhile is not called, one added meanwhile waits', () => {
  const target = new EventTarget();
  const seen = [];
  const second = () => seen.push('second');
  target.addEventListener('x', () => {
    target.removeEventListener('x', second);
    target.addEventListener('x', () => seen.push('added'));
    seen.push('first');
  }, { once: true });
  target.addEventListener('x', second);
  target.dispatchEvent(new Event('x'));
  equal(seen, ['first']);
  target.dispatchEvent(new Event('x'));
  equal(seen, ['first', 'added']);
});
test('preventDefault, stopImmediatePropagation, passive', () => {
  const target = new EventTarget();
  const seen = [];
  target.addEventListener('x', (event) => { event.preventDefault(); seen.push(event.defaultPrevented) }, { passive: true });
  target.addEventListener('x', (event) => { event.preventDefault(); event.stopImmediatePropagation() });
  target.addEventListener('x', () => seen.push('never'));
  equal(target.dispatchEvent(new Event('x', { cancelable: true })), false);
  equal(target.dispatchEvent(new Event('x')), true);
  equal(seen, [false, false]);
});
test('a throwing listener stops nobody', () => {
  const target = new EventTarget();
  let called = false;
  target.addEventListener('x', () => { throw new Error('mine') });
  target.addEventListener('x', () => { called = true });
  target.dispatchEvent(new Event('x'));
  equal(called, true);
});
test('a signal removes a listener', () => {
  const target = new EventTarget();
  const controller = new AbortController();
  let count = 0;
  target.addEventListener('x', () => count++, { signal: controller.signal });
  target.dispatchEvent(new Event('x'));
  controller.abort();
  target.dispatchEvent(new Event('x'));
  target.addEventListener('x', () => count++, { signal: controller.signal });
  target.dispatchEvent(new Event('x'));
  equal(count, 1);
});
test('wrong arguments', () => {
  const target = new EventTarget();
  throws(() => new Event(), 'TypeError', '1 argument required');
  throws(() => target.dispatchEvent({ type: 'x' }), 'TypeError', "not of type 'Event'");
  throws(() => target.addEventListener('x'), 'TypeError', '2 arguments required');
  throws(() => target.addEventListener('x', 5), 'TypeError');
  const event = new Event('x');
  target.addEventListener('x', () => throws(() => target.dispatchEvent(event), 'InvalidStateError'));
  target.dispatchEvent(event);
});
test('classes can be extended and name themselves', () => {
  class Room extends EventTarget { constructor() { super(); this.seen = [] } }
  const room = new Room();
  room.addEventListener('join', (event) => room.seen.push(event.detail));
  room.dispatchEvent(new CustomEvent('join', { detail: 'ann' }));
  equal(room.seen, ['ann']);
  equal(`${new Event('x')}`, '[object Event]');
  equal(Event.AT_TARGET, 2);
  equal(new CustomEvent('x').detail, null);
  equal(new Event('x').timeStamp, 12.5);
});
