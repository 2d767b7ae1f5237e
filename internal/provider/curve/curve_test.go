package curve_test

import (
	"fmt"
	"testing"

	"bailiwick/internal/provider/curve"
)

func TestLinesOfTrainersAreRead(t *testing.T) {
	for line, want := range map[string]string{
		`{"current_steps": 5, "total_steps": 60, "loss": 1.25, "lr": 4.9e-05, "epoch": 0.5, "percentage": 8.33, "elapsed_time": "0:00:05"}`: "{5 60 0.5 [{5 train_loss 1.25} {5 learning_rate 4.9e-05}]}",
		`{"current_steps": 10, "total_steps": 60, "eval_loss": 0.75, "epoch": 1.0}`:                                                         "{10 60 1 [{10 valid_loss 0.75}]}",
		`{'loss': 0.5, 'learning_rate': 1e-05, 'epoch': 2.0, 'step': 30}`:                                                                   "{30 0 2 [{30 train_loss 0.5} {30 learning_rate 1e-05}]}",
		`2026-01-01 10:00:00 INFO {"step": 3, "train_loss": "2.5"}`:                                                                         "{3 0 0 [{3 train_loss 2.5}]}",
		`step 12/120 loss 1.25 lr=3e-3`:                                                                "{12 120 0 [{12 train_loss 1.25} {12 learning_rate 0.003}]}",
		`Step 7 of 40: training loss 0.9, validation loss 1.1`:                                         "{7 40 0 [{7 train_loss 0.9} {7 valid_loss 1.1}]}",
		`Epoch 3 of 30, step 60: training loss 0.8000, validation loss 1.2500, token accuracy 62.5 %.`: "{60 0 3 [{60 train_loss 0.8} {60 valid_loss 1.25} {60 valid_accuracy 0.625}]}",
		`Step 9: loss 2.`:                  "{9 0 0 [{9 train_loss 2}]}",
		`global_step=8 eval_accuracy: 0.5`: "{8 0 0 [{8 valid_accuracy 0.5}]}",
	} {
		if s, ok := curve.Read(line); !ok || fmt.Sprint(s) != want {
			t.Errorf("%s\nis %v", line, s)
		}
	}
	for _, line := range []string{"", "{", "{}", "Loading checkpoint shards: 100%", `{'train_runtime': 12.5, 'train_loss': 0.5, 'epoch': 3.0}`, `{"step": 60, "train_loss": 0.5, "train_runtime": 12.5}`, `{"step": -1, "loss": 2}`,
		`{"step": 1e300, "loss": 2}`, `step 5 of the plan`, `{"step":"many","loss":1}`, "the next step: loss of data"} {
		if s, ok := curve.Read(line); ok {
			t.Errorf("%s\nis %v", line, s)
		}
	}
	if s, _ := curve.Read(`{"step": 4, "loss": "NaN", "lr": "Infinity"}`); len(s.Points) != 0 {
		t.Errorf("what is no number is %v", s)
	}
}
