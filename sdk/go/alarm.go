//go:build wasip1

package dolmen

import (
	"context"
	"errors"
	"time"
)

// OnAlarm makes f what runs when the object's alarm is due. An error lets the alarm run again
// later; failures says how often it has failed before. It belongs into an init function.
func OnAlarm(f func(ctx context.Context, failures int) error) { alarm = f }

// SetAlarm sets the object's alarm, instead of the one that it has.
func SetAlarm(at time.Time) error {
	if hostAlarmSet(at.UnixMilli()) < 0 {
		return failure("alarm set")
	}
	return nil
}

// Alarm gives the time of the object's alarm, and whether there is one.
func Alarm() (at time.Time, found bool, err error) {
	switch at := hostAlarmGet(); at {
	case none:
		return time.Time{}, false, nil
	case failed:
		return time.Time{}, false, failure("alarm get")
	default:
		return time.UnixMilli(at), true, nil
	}
}

// DeleteAlarm removes the object's alarm, if there is one.
func DeleteAlarm() error {
	if hostAlarmDelete() < 0 {
		return failure("alarm delete")
	}
	return nil
}

func runAlarm(in incoming) error {
	if alarm == nil {
		return errors.New("this program takes no alarms: call dolmen.OnAlarm in an init function")
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	return alarm(ctx, int(in.i32(requestEventFirst)))
}
