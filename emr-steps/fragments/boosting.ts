/** How our boosted trees are grown, wherever: parameters were chosen on out-of-fold rows of authentic logs. */
import { fragment } from '../composition/fragment.ts';
import { python } from '../composition/python.ts';

export const boosting = fragment({
  file: import.meta.url,
  imports: ['from typing import Any'],
  constants: python`
    BOOSTING: dict[str, Any] = {
        "n_estimators": 250,
        "max_depth": 3,
        "learning_rate": 0.03,
        "subsample": 0.7,
        "colsample_bytree": 0.3,
        "min_child_weight": 10,
        "reg_lambda": 5,
        "tree_method": "hist",
        "device": "cpu",
    }
  `,
});
