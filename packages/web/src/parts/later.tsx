/**
 * Components that are fetched when they are first wanted. Not React's own `lazy`: what came within a third of a second it would keep back
 * until that has passed, so that placeholders don't flicker, and a click would be that late.
 */
import { type ComponentType, useEffect, useState } from 'react';

/** A component that draws nothing, or `Waiting`, until it is here; where it can't be had, the page that holds it fails. */
export function later<P extends object>(
  load: () => Promise<ComponentType<P>>,
  Waiting?: ComponentType,
): ComponentType<P> {
  let Loaded: ComponentType<P> | undefined;
  let loading: Promise<void> | undefined;
  return function Later(props: P) {
    const [, setHere] = useState(false);
    const [failure, setFailure] = useState<{ readonly error: unknown }>();
    useEffect(() => {
      if (Loaded) return;
      loading ??= load().then(component => void (Loaded = component));
      loading.then(
        () => setHere(true),
        (error: unknown) => {
          // Whoever comes again tries again.
          loading = undefined;
          setFailure({ error });
        },
      );
    }, []);
    if (failure) throw failure.error;
    if (Loaded) return <Loaded {...props} />;
    return Waiting ? <Waiting /> : null;
  };
}
