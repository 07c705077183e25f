"""简体中文: sentences of the gate, the model card, the monitor and reviews, by what they are in English (see `sentences`)."""

from __future__ import annotations

_GATE = {
    "the first model for this company and horizon": "该公司在此预测期内的首个模型",
    "the first model for this company": "该公司的首个模型",
    "champion {version} can no longer be read: {cause}": "现用模型 {version} 已无法读取：{cause}",
    "champion {version} learned from labels that were given, and not from what customers did": (
        "现用模型 {version} 学习的是给定的标签，而非客户的行为"
    ),
    "champion {version} learned from what customers did, and there is nothing of it now": (
        "现用模型 {version} 学习的是客户的行为，而现在没有这类数据"
    ),
    "champion {version} learned what leaving is from other tables": "现用模型 {version} 对流失的定义来自其他数据表",
    "champion {version} needs {name}, which the data no longer give": "现用模型 {version} 需要 {name}，而数据中已没有",
    "champion {version} needs {name}, which this sample does not give": "现用模型 {version} 需要 {name}，而此样本中没有",
    "there are too few dates or customers to compare with the champion at a past date": (
        "日期或客户太少，无法在过去的日期上与现用模型比较"
    ),
    "there are too few dates or contracts to compare with the champion at a past date": (
        "日期或合约太少，无法在过去的日期上与现用模型比较"
    ),
    "no worse than the champion ({count} customers at {day})": "不逊于现用模型（{day}，{count} 位客户）",
    "not surely as good as the champion in {words} ({count} customers at {day})": (
        "在 {words} 上不能确定与现用模型一样好（{day}，{count} 位客户）"
    ),
}

_SEGMENTS = {
    "who bought on one day only": "只在一天购买过的",
    "who bought on two to four days": "在二至四天购买过的",
    "who bought on five days or more": "在五天以上购买过的",
    "who first bought within the last 90 days": "最近 90 天内首次购买的",
    "who bought within the last 30 days": "最近 30 天内购买过的",
    "who were silent for half a year or more": "半年以上没有购买的",
    "with a complaint in the last 90 days": "最近 90 天有投诉的",
    "with a refund in the last year": "最近一年有退款的",
    "with an overdue payment": "有逾期付款的",
}

_WARNINGS = {
    "There are too few dates or customers for a backtest: nothing here has been measured.": (
        "日期或客户太少，无法回测：这里的一切都未经检验。"
    ),
    "Only 1 backtest date of the {wanted} wanted: one season may look like the rule.": (
        "需要 {wanted} 个回测日期，只有 1 个：一时的情形可能被当成规律。"
    ),
    "Only {count} backtest dates of the {wanted} wanted: one season may look like the rule.": (
        "需要 {wanted} 个回测日期，只有 {count} 个：一时的情形可能被当成规律。"
    ),
    "{count} backtest dates of the {wanted} wanted: one season may look like the rule.": (
        "需要 {wanted} 个回测日期，只有 {count} 个：一时的情形可能被当成规律。"
    ),
    "Grade {grade}: a simple rule does as well; do not read much into single customers.": (
        "评级 {grade}：简单规则同样有效；不要过度解读单个客户。"
    ),
    "The total was forecast at {ratio} times what came: trust the order of the customers, not the sum.": (
        "预测总额是实际的 {ratio} 倍：可以相信客户的排序，不要相信总额。"
    ),
    "As of {day}, churn was forecast at {share} on average and came to {share2}: the level moves.": (
        "{day}的流失率平均预测为 {share}，实际为 {share2}：水平在变动。"
    ),
    "The total was forecast at {ratio} times what came as of {day} and {ratio2} times as of {day2}: it depends on the "
    "season or the trend.": "{day}预测总额是实际的 {ratio} 倍，{day2}是 {ratio2} 倍：取决于季节或趋势。",
    "Leavers were told from stayers better as of {day} (AUC {area}) than as of {day2} ({area2}): one date is no promise "
    "for the next.": "{day}对流失与留存客户的区分（AUC {area}）好于 {day2}（{area2}）：一个日期的表现不能保证下一个。",
    "Of customers {part}, {share} were forecast to leave and {share2} did ({count} forecasts).": (
        "在{part}客户中，预测流失 {share}，实际 {share2}（{count} 次预测）。"
    ),
    "Customers {part} were forecast to bring {ratio} times what they brought, {share} of all.": (
        "{part}客户，预测带来的价值是实际的 {ratio} 倍；他们占全部价值的 {share}。"
    ),
    "Only {count} customers: below {least} the model leans on buy-till-you-die, which needs little to learn from, and "
    "intervals are wide.": "只有 {count} 位客户：少于 {least} 位时，模型主要依靠所需数据很少的购买-流失模型，区间较宽。",
    "Only {count} customers: intervals are wide.": "只有 {count} 位客户：区间较宽。",
    "{days} days of history hold no season twice: a total for a season not seen may be far off.": (
        "{days} 天的历史中没有重复出现的季节：未见过的季节，总额可能偏差很大。"
    ),
    "keepwell horizon would take {days} days, not {days2}: {part}.": (
        "keepwell horizon 建议 {days} 天，而非 {days2} 天：{part}。"
    ),
    "{share} of the last year's {table} became known more than a week late: the newest are not all there yet.": (
        "最近一年的 {table} 中有 {share} 晚于一周才为人所知：最新的记录尚不齐全。"
    ),
    "Some of today's customers lie beyond any that could be learned from, in features that lead: {features}.": (
        "在主要特征上，有些现有客户超出了可学习的范围：{features}。"
    ),
    "It looks like a leak: {place}: {part}. {part2}.": "疑似信息泄漏：{place}：{part}。{part2}。",
    "A forecast for a date long after {day} is of a world that may have changed: train again on newer data.": (
        "对 {day}之后很久的日期，世界可能已经改变：请用更新的数据重新训练。"
    ),
    "A market-wide event (a strike, a rival's closure, a pandemic) is not in the model.": (
        "全市场的事件（罢工、对手停业、疫情）不在模型之内。"
    ),
    "Contributions say what moved the forecast, not what would move the customer: only a holdout measures an action.": (
        "贡献说明什么影响了预测，而不是什么会影响客户：只有对照组才能衡量行动。"
    ),
    "There is no time in a flat table: the figures are of other customers at the same date, not of a later one.": (
        "平面表没有时间：这些数字来自同一日期的其他客户，而非更晚的日期。"
    ),
    "A column that was written after the answer was known makes every figure here too good.": (
        "如果有一列是在结果已知之后才填写的，这里的每个数字都会偏好。"
    ),
}

_LEAKS = {
    "of {count} customers with {word}, none bought again within {days} days, where {count2} of customers as silent as "
    "they were would have": "在 {count} 位带有 {word} 的客户中，无人在 {days} 天内再次购买，而同样沉默的客户中应有 {count2} 位",
    "of {count} customers with {word}, {back} bought again within {days} days, where {count2} of customers as silent as "
    "they were would have": (
        "在 {count} 位带有 {word} 的客户中，有 {back} 位在 {days} 天内再次购买，而同样沉默的客户中应有 {count2} 位"
    ),
    "of {count} customers for whom it is missing, {left} left {part}, where {count2} of customers as silent as they were "
    "would have": "在 {count} 位缺少此项的客户中，{part}流失的有 {left} 位，而同样沉默的客户中应有 {count2} 位",
    "of {count} customers for whom it is {word}, {left} left {part}, where {count2} of customers as silent as they were "
    "would have": "在此项为 {word} 的 {count} 位客户中，{part}流失的有 {left} 位，而同样沉默的客户中应有 {count2} 位",
    "made of {table}, {part}": "由 {table} 得出，{part}",
    "alone tells who left {part} (AUC {area}; the best feature has {area2})": (
        "单凭此项即可看出{part}谁流失了（AUC {area}；最好的特征为 {area2}）"
    ),
    "alone tells who left {part} (AUC {area})": "单凭此项即可看出{part}谁流失了（AUC {area}）",
    "in the {days} days from {day}": "自{day}起 {days} 天内",
    "tells {part} up to the end of the data, for {share} of the customers: it was made from the log": (
        "对 {share} 的客户，等于截至数据末尾的{part}：它是由流水算出的"
    ),
    "the number of transactions": "交易次数",
    "the number of purchases": "购买次数",
    "the number of days of purchase": "购买天数",
    "the number of orders": "订单数",
    "all spend": "全部消费",
    "all spend less refunds": "扣除退款后的全部消费",
    "the day of the first purchase": "首次购买日",
    "the day of the last purchase": "最近购买日",
    "see when the rows of {table} are written: known_at says so where it is later than they happened": (
        "请查看 {table} 的记录何时写入：若晚于发生之时，应由 known_at 说明"
    ),
    "if it is filled in when a customer has left already, say so by known_at, or leave the column out": (
        "如果是在客户流失之后才填写的，请用 known_at 说明，或去掉该列"
    ),
    "its known_at should say when it was written, not when the customer joined: correct it, or remove the column": (
        "其 known_at 应为写入之时，而非客户加入之时：请更正，或去掉该列"
    ),
    "it is declared static, yet seems to be written after customers left: take it out of static:, or remove it": (
        "它被声明为不变，却似乎是在客户流失之后写入的：请从 static: 中去掉，或删除该列"
    ),
    "a snapshot, taken after they left, may know it: give known_at, or remove it; never declare it static": (
        "客户流失之后的快照可能已含有结果：请提供 known_at，或删除该列；切勿声明为 static"
    ),
}

_HORIZON = {
    "of those who bought within {days} days before a date and then nothing for {days2} days, {share} came back within "
    "{days3} more: few enough to call the silent ones lost": (
        "在某日之前 {days} 天内购买、其后 {days2} 天没有购买的客户中，又过 {days3} 天有 {share} 回来：少到可以把沉默者视为流失"
    ),
    "of those who bought within {days} days before a date and then nothing for {days2} days, {share} came back within "
    "{days3} more: customers here pause and return; at most {share2} would do": (
        "在某日之前 {days} 天内购买、其后 {days2} 天没有购买的客户中，又过 {days3} 天有 {share} 回来：客户会停顿再回来；"
        "至多 {share2} 才合适"
    ),
}

_MONITOR = {
    "the scores promise an AUC of {area}, at training it was {area2}": "评分预示的 AUC 为 {area}，训练时为 {area2}",
    "as of {day} (version {version}): {part}": "{day}（版本 {version}）：{part}",
    "AUC {area}, promised {area2}": "AUC 为 {area}，承诺为 {area2}",
    "{share} churned, promised {share2}": "流失 {share}，承诺为 {share2}",
    "the total promised was {ratio} times what came": "承诺的总额是实际的 {ratio} 倍",
    "asked of the service: and {count} other columns": "服务收到的请求：另有 {count} 列",
    "asked of the service: {part}": "服务收到的请求：{part}",
    "{feature}: missing for {share} of customers, at training {share2}": "{feature}：{share} 的客户缺失，训练时为 {share2}",
    "{feature}: mean {number}, at training {number2}": "{feature}：均值 {number}，训练时为 {number2}",
    "{feature}: distribution moved by {number}, limit {number2} (mean {number3}, at training {number4})": (
        "{feature}：分布变动 {number}，限值 {number2}（均值 {number3}，训练时为 {number4}）"
    ),
    "{column}: {share} of the newest rows hold new values, as {word}": "{column}：最新记录中有 {share} 是新的取值，如 {word}",
    "{table}: the table is gone: {count} rows at training": "{table}：数据表不见了：训练时有 {count} 行",
    "{table}: {count} rows in the last {days} days, {count2} in the {days2} before": (
        "{table}：最近 {days} 天有 {count} 行，此前 {days2} 天有 {count2} 行"
    ),
    "{table}: {count} rows in the last {days} days, {count2} in as many at training, {days2} days earlier": (
        "{table}：最近 {days} 天有 {count} 行，训练时（{days2} 天前）同样天数有 {count2} 行"
    ),
    "{table}: nothing for {days} days; the longest gap of the year before was {days2} days": (
        "{table}：已有 {days} 天没有记录；此前一年最长的间隔为 {days2} 天"
    ),
    "{table}: {count} of the {count2} rows known at training are gone": (
        "{table}：训练时已知的 {count2} 行中有 {count} 行不见了"
    ),
    "the training left no reference, so drift of features and scores is not judged: train again to have one": (
        "训练没有留下参照，无法判断特征和评分的漂移：重新训练即可"
    ),
    "the service kept {count} rows of this version: too few to be judged": "服务只保留了该版本的 {count} 行：太少，无法判断",
    "no scores are older than the horizon of {days} days, so nothing was held against what came": (
        "没有早于 {days} 天预测期的评分，因此无从与实际对照"
    ),
}

_REVIEW = {
    "version {version} had learned from what came until {day}, so what it said of {day2} was hindsight and no promise": (
        "版本 {version} 已学习了截至 {day}的实际结果，因此它对 {day2}所说的是事后之见，不是承诺"
    ),
    "the {days} days from {day} are not over before {day2}, so promises cannot be judged yet": (
        "自{day}起的 {days} 天要到 {day2}才结束，目前还不能评判承诺"
    ),
    "{count} customers who were scored had no running contract then; they are left out where promises are judged": (
        "有 {count} 位评过分的客户当时没有履行中的合约；评判承诺时不计入"
    ),
    "{count} customers who were scored are not in the data any more; they are left out where promises are judged": (
        "有 {count} 位评过分的客户已不在数据中；评判承诺时不计入"
    ),
    "there is no scoring up to {day}, so tier moves, equity and the forecast cannot be told; the next is of {day2}: say "
    "--as-of {day3}": "截至 {day}没有评分，因此无法说明层级变动、客户资产和预测；下一次评分是 {day2}：请用 --as-of {day3}",
    "there is no scoring up to {day}, so tier moves, equity and the forecast cannot be told; {command}": (
        "截至 {day}没有评分，因此无法说明层级变动、客户资产和预测；请运行 {command}"
    ),
    "the model was never tried at an earlier date, so the forecast has no interval": (
        "模型从未在更早的日期上检验过，因此预测没有区间"
    ),
    "there is no table complaints, so nothing is told of complaints": "没有投诉表，因此不涉及投诉",
    "there is no table surveys, so nothing is told of satisfaction and loyalty": "没有调查表，因此不涉及满意度和忠诚度",
    "no action was planned or recorded in this time": "这段时间没有计划或记录任何行动",
}

MODEL_SENTENCES = {**_GATE, **_SEGMENTS, **_WARNINGS, **_LEAKS, **_HORIZON, **_MONITOR, **_REVIEW}
